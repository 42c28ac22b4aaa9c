import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { parseSettings, rawSettings } from "../../src/config/parse";
import { packageRoot } from "../../src/package-root";
import { hostBasedAuthentication } from "../../src/plan/authentication";
import { warnings } from "../../src/plan/warnings";

const HOST_KEY = `AAAAC3NzaC1lZDI1NTE5AAAAI${"A".repeat(43)}`;

/** Two load balancers with a virtual address before one member, and clients in a network of their own. */
function settings(postgresql: object, others: object = {}) {
  return parseSettings({
    hosts: {
      db1: { address: "10.89.0.11" },
      lb1: { address: "10.89.0.21" },
      lb2: { address: "10.89.0.22" },
    },
    cluster: {
      name: "shop",
      members: ["db1"],
      dcs: { kind: "etcd", members: ["db1"] },
      loadBalancers: { hosts: ["lb1", "lb2"], vip: "10.89.0.100/24", interface: "eth0" },
      firewall: { clients: ["10.1.0.0/16"] },
      postgresql,
      ...others,
    },
  });
}

const said = (line: string, more: object = {}) =>
  warnings(settings({ pgHba: [line], ...more })).map((one) =>
    one.replace(`pgherd:cluster.postgresql.pgHba[0] "${line}": `, ""),
  );

test("a line that keeps somebody out is not void in silence where the load balancers let him in", () => {
  for (const line of [
    "hostnossl all all 10.89.0.0/24 reject",
    "host app app 10.89.0.0/24 reject",
    "host all bob 0.0.0.0/0 reject",
    "host all all all reject",
    "host all all samenet reject",
    "hostssl all all 10.89.0.0/24 cert",
  ]) {
    expect(said(line, { parameters: { ssl: true } })).toEqual([
      expect.stringMatching(
        /^it does not count for those who come through the load balancers \(10\.89\.0\.21, 10\.89\.0\.22, 10\.89\.0\.100\), since "host all all 10\.89\.0\.\d+\/32 scram-sha-256" comes first\. Put it into postgresql\.pgHbaFirst/,
      ),
    ]);
  }
});

test("by a client's address nobody is kept out who comes through the load balancers", () => {
  expect(said("host all all 10.1.2.0/24 reject")[0]).toContain(
    "it keeps nobody out who comes through the load balancers: PostgreSQL sees their addresses",
  );
  expect(warnings(settings({ pgHbaFirst: ["host all all 10.1.2.0/24 reject"] }))).toHaveLength(1);
});

test("a line that shuts out everybody who comes through a load balancer is told", () => {
  const first = (line: string, parameters: object = {}) =>
    warnings(settings({ pgHbaFirst: [line], parameters }));
  for (const line of [
    "host all all 10.89.0.21/32 reject",
    "hostnossl all all 10.89.0.0/24 reject",
    "host all all all reject",
  ]) {
    expect(first(line).join()).toContain(
      "it shuts out everybody who comes through the load balancers",
    );
  }
  expect(first("hostnossl all all 10.89.0.21/32 reject", { ssl: true })).toEqual([]);
  expect(first("host app all 10.89.0.21/32 reject")).toEqual([]);
  expect(first("host all bob 10.89.0.21/32 reject")).toEqual([]);
});

describe("a line that can never count is told:", () => {
  test.each([
    ["local all app peer", "local all all scram-sha-256"],
    ["host all all 127.0.0.1/32 reject", "host all all 127.0.0.1/32 scram-sha-256"],
    ["host app bob 10.89.0.21/32 reject", "host all all 10.89.0.21/32 scram-sha-256"],
    ["host all postgres 10.1.0.0/16 scram-sha-256", "host all postgres,replicator,rewinder all"],
  ])("%s", (line, first) => {
    expect(said(line)[0]).toContain(`it never counts, since "${first}`);
  });

  test("a second one of the user's own, behind a wider one", () => {
    const pgHba = ["host app all 10.0.0.0/8 scram-sha-256", "host app bob 10.2.0.0/16 reject"];
    expect(warnings(settings({ pgHba }))).toEqual([
      expect.stringContaining('since "host app all 10.0.0.0/8 scram-sha-256" comes first'),
    ]);
  });
});

test("a line for SSL connections is told where there are none", () => {
  const line = "hostssl all all 10.1.0.0/16 scram-sha-256";
  expect(said(line)[0]).toContain("it fits no connection, since ssl is off");
  expect(said(line, { parameters: { SSL: "yes" } })).toEqual([]);
});

test("nothing is said of lines that count, and of those that change nothing", () => {
  for (const line of [
    "host app app 10.1.0.0/16 scram-sha-256",
    "host all all 10.89.0.21/32 scram-sha-256",
    "# office",
    "host replication standby 10.1.0.9/32 scram-sha-256",
    "host replication all 10.89.0.0/24 reject",
    'host "all" app 10.1.0.0/16 scram-sha-256',
  ]) {
    expect(said(line)).toEqual([]);
  }
});

test("what a migrated server may ask for is not quoted as something else", () => {
  const line = "host app app 10.89.0.21/32 reject";
  const hosts = { db2: { address: "10.89.0.12" }, db3: { address: "10.89.0.13" } };
  const migrated = parseSettings({
    hosts: { db1: { address: "10.89.0.11" }, lb1: { address: "10.89.0.21" }, ...hosts },
    cluster: {
      ...{ name: "shop", members: ["db1", "db2", "db3"], migration: { from: "db1" } },
      dcs: { kind: "etcd", members: ["db1", "db2", "db3"] },
      loadBalancers: { hosts: ["lb1"] },
      firewall: { clients: ["10.1.0.0/16"] },
      postgresql: { pgHba: [line] },
    },
  });
  expect(warnings(migrated)).toEqual([
    expect.stringContaining(
      'it never counts, since "host all all 10.89.0.21/32 scram-sha-256 (or md5)" comes first.',
    ),
  ]);
});

test("a line that is to come first and never counts is to go further up, or away", () => {
  const pgHbaFirst = ["host app app 10.2.0.0/16 scram-sha-256", "host app app 10.2.3.0/24 reject"];
  expect(warnings(settings({ pgHbaFirst }))).toEqual([
    expect.stringMatching(
      /^pgherd:cluster\.postgresql\.pgHbaFirst\[1\].* comes first\. Put it further up, or remove it\.$/,
    ),
  ]);
});

test("lines that are to come first do so, but for what the cluster itself cannot do without", () => {
  const first = "hostnossl all all all reject";
  const all = settings({
    ...{ pgHbaFirst: [first], pgHba: ["host app app 10.2.0.0/16 scram-sha-256"] },
    parameters: { ssl: true },
  });
  expect(warnings(all)).toEqual([]);
  const lines = hostBasedAuthentication(all);
  expect(lines.slice(lines.indexOf("host all postgres,replicator,rewinder all reject"))).toEqual([
    "host all postgres,replicator,rewinder all reject",
    first,
    "local all all scram-sha-256",
    "host all all 127.0.0.1/32 scram-sha-256",
    "host all all 10.89.0.11/32 scram-sha-256",
    "host all all 10.89.0.21/32 scram-sha-256",
    "host all all 10.89.0.22/32 scram-sha-256",
    "host all all 10.89.0.100/32 scram-sha-256",
    "host app app 10.2.0.0/16 scram-sha-256",
  ]);
});

test("lines that come first are judged as the others are", () => {
  expect(() => settings({ pgHbaFirst: ["host all all 0/0 trust"] })).toThrow(
    /pgHbaFirst\[0\].*everybody/s,
  );
});

test("the example that is to be copied gives no reason to warn", () => {
  const file = readFileSync(join(packageRoot(), "stacks/Pulumi.example.yaml"), "utf8");
  const { config } = parse(file.replaceAll("AAAA…", HOST_KEY)) as {
    config: { [key: string]: unknown };
  };
  expect(warnings(parseSettings(rawSettings(config)))).toEqual([]);
});
