import { join } from "node:path";
import { expect, test } from "vitest";
import { readStack } from "../../src/cli/stack";
import { parseSettings } from "../../src/config/parse";
import { planConfiguration } from "../../src/plan/dynamic-configuration";
import { planCluster } from "../../src/plan/plan";
import { withSecrets } from "../../src/plan/secrets";
import type { FileInput } from "../../src/resources/inputs/files";

const GOLDEN = join(import.meta.dirname, "golden-backup");

const lab = readStack("lab");

/** The lab with backups, or with other settings of them. */
function withBackup(backup: object, postgresql: object = {}) {
  const { cluster } = lab;
  return parseSettings({
    hosts: lab.hosts,
    ssh: lab.ssh,
    cluster: {
      ...cluster,
      postgresql: { ...cluster.postgresql, ...postgresql },
      backup: { host: "backup1", ...backup },
    },
  });
}

const settings = withBackup({
  verify: { checks: [{ database: "app", sql: "select count(*) > 0 from notes" }] },
});
const plan = planCluster(settings);

const PASSWORDS: { readonly [name: string]: string } = {
  barman: "BARMAN-PASSWORD",
  "streaming-barman": "STREAMING-PASSWORD",
};

const [barman] = plan.services.filter(({ daemon }) => daemon === "barman");
const [member] = plan.services.filter(({ daemon }) => daemon === "patroni");
const files: { readonly [path: string]: FileInput | undefined } = {
  ...barman?.files,
  ...withSecrets(barman?.secretFiles ?? {}, ({ name }) => PASSWORDS[name] ?? ""),
  ...plan.logins?.files.db1,
  ...plan.logins?.files.backup1,
  "/etc/patroni/pgherd/10-member.yml": member?.files["/etc/patroni/pgherd/10-member.yml"],
  "/var/lib/pgherd/from-backup": member?.files["/var/lib/pgherd/from-backup"],
  "/var/lib/pgherd/wal-from-backup": member?.files["/var/lib/pgherd/wal-from-backup"],
};

test.each(Object.entries(files))("%s is as in its golden file", async (path, file) => {
  await expect(file?.content).toMatchFileSnapshot(
    join(GOLDEN, `${path.slice(1).replaceAll("/", ".")}.txt`),
  );
});

test("the slot of the backups stays through every change of the leader", () => {
  const facts = {
    smallest: { memory: 2 ** 30, cores: 2, disk: 2 ** 34 },
    versions: { patroni: "3.0.2" },
  };
  expect(planConfiguration(settings, facts).slots).toMatchObject({
    barman: { type: "physical" },
  });
});

test("Barman's roles have the rights of a backup and no others", () => {
  const roles = plan.patroni.roles.filter(({ name }) => name.includes("barman"));
  expect(roles).toEqual([
    expect.objectContaining({
      name: "barman",
      replication: false,
      memberOf: ["pg_checkpoint", "pg_read_all_settings", "pg_read_all_stats"],
    }),
    expect.objectContaining({ name: "streaming_barman", replication: true, executes: [] }),
  ]);
  for (const { createdb, createrole } of roles)
    expect([createdb, createrole]).toEqual([false, false]);
});

test("no time-out of the server's ends Barman's sessions, which last as long as a backup does", () => {
  const of = (version: number) =>
    planCluster(withBackup({}, { version })).patroni.roles.find(({ name }) => name === "barman")
      ?.settings;
  expect(of(13)).toEqual({
    default_transaction_deferrable: "off",
    default_transaction_read_only: "off",
    idle_in_transaction_session_timeout: "0",
    lock_timeout: "0",
    statement_timeout: "0",
  });
  expect(of(17)).toMatchObject({ idle_session_timeout: "0", transaction_timeout: "0" });
});

test("only members read backups, and only the backup host reads members", () => {
  const links = plan.logins?.links.map(({ from, to, command }) => [
    from,
    to,
    command.split(" ")[0]?.split("/").at(-1),
  ]);
  expect(links).toEqual([
    ["db1", "backup1", "backup-door"],
    ["db2", "backup1", "backup-door"],
    ["db3", "backup1", "backup-door"],
    ["backup1", "db1", "backup-window"],
    ["backup1", "db2", "backup-window"],
    ["backup1", "db3", "backup-window"],
  ]);
});

test("the backup host reaches the entry point, and is reached by the members alone", () => {
  const to = (host: string) =>
    plan.flows.filter((flow) => flow.to === host).map(({ from, purpose }) => `${purpose} ${from}`);
  expect(to("lb1")).toContain("primary backup host");
  expect(to("db1")).toContain("SSH backup host");
  expect(to("backup1")).toEqual(["SSH logins", "SSH members"]);
});

test("without load balancers Barman looks for the leader itself", () => {
  const settings = withBackup({});
  delete settings.cluster.loadBalancers;
  settings.cluster.firewall = false;
  const [service] = planCluster(settings).services.filter(({ daemon }) => daemon === "barman");
  expect(service?.files["/etc/barman.d/demo.conf"]?.content).toContain(
    "host=10.89.0.11,10.89.0.12,10.89.0.13 port=5432 user=barman",
  );
  expect(service?.files["/etc/barman.d/demo.conf"]?.content).toContain(
    "target_session_attrs=read-write",
  );
});

test("a new cluster begins with the newest backup before its target", () => {
  const settings = withBackup(
    {},
    {
      bootstrap: {
        from: "barman",
        host: "lb1",
        cluster: "other",
        target: { time: "2026-11-21 14:30:00+01" },
      },
    },
  );
  const [first] = planCluster(settings).services.filter(({ daemon }) => daemon === "patroni");
  const yml = first?.files["/etc/patroni/pgherd/10-member.yml"]?.content ?? "";
  expect(yml).toContain('command: "/var/lib/pgherd/from-backup-first --before=1795267800"');
  expect(yml).toContain('recovery_target_time: "2026-11-21 14:30:00+01"');
  expect(yml).toContain("wal-from-backup-first --whole %f %p");
  expect(planCluster(settings).preflight.bootstrap).toEqual({
    ...{ host: "lb1", home: "/var/lib/barman/other", binDirectory: "/usr/lib/postgresql/17/bin" },
    ...{ version: 17, target: { time: "2026-11-21 14:30:00+01" }, time: 1795267800 },
  });
});

test("a stack without backups has none of it", () => {
  const none = planCluster(lab);
  expect(none.services.some(({ daemon }) => daemon === "barman")).toBe(false);
  expect([none.backup, none.logins]).toEqual([undefined, undefined]);
  expect(none.patroni.roles.map(({ name }) => name)).toEqual(["app"]);
});
