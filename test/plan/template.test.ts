import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { endpoint, render } from "../../src/plan/template";

/** Values that try to end a string, start a line or run a command. */
const HOSTILE = [
  "it's",
  'a "quoted" word',
  "two\nlines",
  "$(touch /tmp/pgherd-was-here)",
  "`id`",
  "$HOME",
  "back\\slash",
  "semi;colon # comment",
  "{{braces}}",
  "- yaml: [list",
  " ü€ ",
];

const member = {
  scope: "demo",
  name: "db1",
  restListen: "10.0.0.1:8008",
  dcsHosts: [],
  listen: "10.0.0.1,127.0.0.1:5432",
  connectAddress: "10.0.0.1:5432",
  dcsSettings: "etcd3:\n  hosts: [10.0.0.1:2379]",
  home: "/var/lib/postgresql",
  dataDirectory: "/data",
  configDirectory: null,
  baseConfiguration: null,
  socketDirectories: "/var/run/postgresql",
  maxRate: null,
  ident: [],
  binDirectory: "/bin",
  roles: { superuser: "postgres", replication: "replicator", rewind: "rewinder" },
  locale: "C.UTF-8",
  checksums: null,
  watchdog: "automatic",
  pgHba: [],
  tags: [],
  onStart: null,
  onRoleChange: "promoted",
};

test.each(HOSTILE)("%j stands in YAML as it is", (value) => {
  const text = render("patroni/member.yml", {
    ...member,
    scope: value,
    pgHba: [value],
    tags: [{ name: "replicatefrom", value }],
  });
  expect(parse(text)).toMatchObject({
    scope: value,
    name: "db1",
    postgresql: { pg_hba: [value] },
    tags: { replicatefrom: value },
  });
});

test.each(HOSTILE)("%j stands in an environment file as it is", (value) => {
  const text = render("etcd/etcd.env", {
    name: value,
    dataDir: "/var/lib/etcd/demo",
    token: "demo",
    quota: 2 ** 31,
    compaction: "1h",
    peerUrl: "http://10.0.0.1:2380",
    clientUrl: "http://10.0.0.1:2379",
    listenClientUrls: "http://10.0.0.1:2379",
    initialCluster: "db1=http://10.0.0.1:2380",
  });
  const script = `${text}\nprintf '%s' "$ETCD_NAME"`;
  expect(execFileSync("/bin/sh", { input: script, encoding: "utf8" })).toBe(value);
});

test.each(HOSTILE.filter((one) => /[^\p{L} {}:[\]€-]/u.test(one)))(
  "%j is refused where a template gives it to no helper",
  (value) => {
    const unit = { keeper: value };
    expect(() => render("fork/keeper.service", unit)).toThrow("cannot be written without quotes");
  },
);

test.each(HOSTILE)("%j stands in YAML whichever setting has it", (value) => {
  const text = render("patroni/member.yml", {
    ...member,
    socketDirectories: value,
    checksums: value,
  });
  expect(parse(text)).toMatchObject({
    bootstrap: { initdb: [{ encoding: "UTF8" }, { locale: "C.UTF-8" }, value] },
    postgresql: { parameters: { unix_socket_directories: value } },
  });
});

test("every value of a YAML file is quoted", () => {
  const folder = join(import.meta.dirname, "../../templates");
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" });
  const yaml = files.filter((file) => file.endsWith(".yml.hbs"));
  expect(yaml.length).toBeGreaterThan(1);
  for (const file of yaml) {
    const values =
      readFileSync(join(folder, file), "utf8")
        .replaceAll(" {{name}}: ", "")
        .match(/\{\{[^}#/]*\}\}/g) ?? [];
    expect(values.filter((one) => !/^\{\{(yaml |part |else\}\})/.test(one))).toEqual([]);
  }
});

test.each(HOSTILE)("%j is refused where nothing can quote it", (value) => {
  const secrets = { vrrp: value };
  expect(() => render("keepalived/secret.conf", { secrets })).toThrow(
    `cannot be written as one word: ${value}`,
  );
});

test("a value that is missing is an error, not an empty word", () => {
  const missing = "a value is missing";
  expect(() => render("haproxy/unit.conf", {})).toThrow(missing);
  expect(() => render("etcd/etcd.env", { name: "db1" })).toThrow(missing);
  expect(() => render("patroni/member.yml", { ...member, scope: undefined })).toThrow(missing);
});

test("only IPv6 addresses are bracketed", () => {
  expect(endpoint("10.89.0.11", 2379)).toBe("10.89.0.11:2379");
  expect(endpoint("fd00:89::11", 2379)).toBe("[fd00:89::11]:2379");
});
