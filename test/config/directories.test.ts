import { describe, expect, test } from "vitest";
import { normalizePath, unfitFor } from "../../src/config/directories";
import { parseSettings } from "../../src/config/parse";
import type { Settings } from "../../src/config/schema";
import { ConfigError } from "../../src/errors";

interface Places {
  readonly data?: string;
  readonly dcs?: string;
  readonly backup?: string;
  readonly backupHost?: string;
}

function parse({ data, dcs, backup, backupHost = "b1" }: Places): Settings {
  return parseSettings({
    hosts: { a1: { address: "10.0.0.1" }, b1: { address: "10.0.0.9" } },
    cluster: {
      name: "shop",
      members: ["a1"],
      dcs: { kind: "etcd", members: ["a1"], ...(dcs && { dataDirectory: dcs }) },
      firewall: false,
      postgresql: { ...(data && { dataDirectory: data }) },
      ...(backup && {
        backup: { host: backupHost, onDatabaseHost: true, directory: backup },
      }),
    },
  });
}

function problems(places: Places): string[] {
  try {
    parse(places);
    return [];
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as ConfigError).problems.map((one) => one.replace("pgherd:cluster.", ""));
  }
}

test.each([
  ["/srv/pg/", "/srv/pg"],
  ["/srv//pg/./main//", "/srv/pg/main"],
  ["/srv/../etc", "/etc"],
  ["/../..", "/"],
  ["//", "/"],
  ["/", "/"],
])("%s is %s", (path, normal) => {
  expect(normalizePath(path)).toBe(normal);
});

test("every path of a stack has its one form once it is read", () => {
  const { postgresql, dcs, backup } = parse({
    data: "/srv/pg/",
    dcs: "/srv/./etcd",
    backup: "/srv//backups/x/..",
  }).cluster;
  expect([
    postgresql.dataDirectory,
    "dataDirectory" in dcs && dcs.dataDirectory,
    backup?.directory,
  ]).toEqual(["/srv/pg", "/srv/etcd", "/srv/backups"]);
});

describe("nobody is given a directory that is not his:", () => {
  test.each([
    ["//", "/", "which holds what is others'"],
    ["/etc", "/etc", "which is the system's"],
    ["/srv/../etc/barman", "/etc/barman", "which lies in /etc, the system's"],
    ["/root", "/root", "which is of people who log in"],
    ["/home/x", "/home/x", "which lies in /home, of people who log in"],
    ["/usr/", "/usr", "which is the system's"],
    ["/var", "/var", "which holds what is others'"],
    ["/var/lib", "/var/lib", "which holds what is others'"],
    ["/var/lib/etcd", "/var/lib/etcd", "which lies in /var/lib/etcd, the home of etcd"],
    ["/var/lib/pgherd/x", "/var/lib/pgherd/x", "which lies in /var/lib/pgherd, pgherd's own"],
    [
      "/var/lib/postgresql/backups",
      "/var/lib/postgresql/backups",
      "which lies in /var/lib/postgresql, the home of postgres",
    ],
    ["/var/lib/dpkg", "/var/lib/dpkg", "which is the system's"],
    ["/run/barman", "/run/barman", "which lies in /run, emptied at a boot"],
    ["/proc/1", "/proc/1", "which lies in /proc, the kernel's"],
    ["/dev/shm", "/dev/shm", "which lies in /dev, the kernel's"],
    ["/boot", "/boot", "which is the system's"],
    ["/tmp/x", "/tmp/x", "which lies in /tmp, emptied at a boot"],
    ["/srv", "/srv", "which holds what is others'"],
    ["/mnt/", "/mnt", "which holds what is others'"],
    [
      "/var/lib/barman/.ssh",
      "/var/lib/barman/.ssh",
      "which is for what is barman's own in /var/lib/barman",
    ],
    ["/usr/local/", "/usr/local", "which holds what is others'"],
  ])("backups in %s", (backup, found, reason) => {
    expect(problems({ backup })).toEqual([
      `backup.directory: expected a directory of its own, got "${found}", ${reason}. Choose one that is for nothing else, such as /srv/pgherd/data.`,
    ]);
  });

  test("data and the DCS are looked at in the same way", () => {
    const why = (data: string) => problems({ data }).join();
    expect(why("/etc/postgresql")).toContain("which lies in /etc, the system's");
    expect(why("/var/lib/postgresql")).toContain("which is the home of the user postgres");
    expect(why("/var/lib/postgresql/.pgpass")).toContain("which is for what is postgres's own");
    expect(why("/var/lib/barman/x")).toContain("which lies in /var/lib/barman, the home of barman");
    expect(problems({ dcs: "/var/lib/postgresql/etcd" }).join()).toContain("the home of postgres");
  });
});

test.each([
  ["postgres", "/var/lib/postgresql/17/main"],
  ["postgres", "/var/lib/postgresql/data"],
  ["postgres", "/pgdata"],
  ["postgres", "/var/lib/pgdata"],
  ["postgres", "/mnt/disk1/pg"],
  ["postgres", "/usr/local/pgsql/data"],
  ["etcd", "/var/lib/etcd"],
  ["etcd", "/var/lib/etcd/shop"],
  ["barman", "/var/lib/barman"],
  ["barman", "/var/backups/barman"],
  ["barman", "/etcetera"],
] as const)("%s may have %s", (purpose, path) => {
  expect(unfitFor(purpose, path)).toBe(undefined);
});

describe("no two of them are one, or in one another, on the same host:", () => {
  const rows: [Places, string][] = [
    [
      { data: "/srv/pg", backup: "/srv/pg/", backupHost: "a1" },
      'backup.directory: expected the backups to be apart from PostgreSQL\'s data on the same host, got "/srv/pg", which is /srv/pg. Choose another.',
    ],
    [
      { data: "/srv/b/pg", backup: "/srv/b", backupHost: "a1" },
      'backup.directory: expected the backups to be apart from PostgreSQL\'s data on the same host, got "/srv/b", which holds /srv/b/pg. Choose another.',
    ],
    [
      { data: "/srv/pg", backup: "/srv/pg/../pg/b", backupHost: "a1" },
      'backup.directory: expected the backups to be apart from PostgreSQL\'s data on the same host, got "/srv/pg/b", which lies in /srv/pg. Choose another.',
    ],
    [
      { data: "/srv/pg", dcs: "/srv/pg/etcd" },
      "dcs.dataDirectory: expected etcd's data to be apart from PostgreSQL's data on the same host, got \"/srv/pg/etcd\", which lies in /srv/pg. Choose another.",
    ],
    [
      { data: "/srv/pg", dcs: "/srv/forks" },
      'dcs.dataDirectory: expected etcd\'s data to be apart from the folder of forks beside the data on the same host, got "/srv/forks", which is /srv/forks. Choose another.',
    ],
    [
      { data: "/srv/forks" },
      'postgresql.dataDirectory: expected the folder of forks beside the data to be apart from PostgreSQL\'s data on the same host, got "/srv/forks", which is /srv/forks. Choose another.',
    ],
  ];
  test.each(rows)("%o", (places, problem) => {
    expect(problems(places)).toEqual([problem]);
  });

  test("on two hosts they may be called the same, and a beginning of a name is no directory", () => {
    expect(problems({ data: "/srv/pg", backup: "/srv/pg" })).toEqual([]);
    expect(problems({ data: "/srv/pg", backup: "/srv/pg2", backupHost: "a1" })).toEqual([]);
  });
});
