import * as pulumi from "@pulumi/pulumi";
import { RandomPassword } from "@pulumi/random";
import { expect, test, vi } from "vitest";
import { Cluster, type ClusterArgs } from "../../src/library";
import { allRegistered, recordResources, urnOf } from "../registered";

vi.setConfig({ testTimeout: 120_000 });

/** One host, which is all that a cluster needs. */
function one(address: pulumi.Input<string>, cluster: object = {}): ClusterArgs {
  return {
    hosts: { db1: { address } },
    cluster: {
      members: ["db1"],
      replication: { mode: "asynchronous" },
      dcs: { kind: "etcd", members: ["db1"] },
      firewall: { clients: ["10.0.0.0/24"] },
      ...cluster,
    },
  };
}

function valueOf<T>(output: pulumi.Output<T>): Promise<T> {
  return new Promise((resolve) => output.apply(resolve));
}

test("two clusters of one program have no resource's name in common, even where their own names are one", async () => {
  const registered = await recordResources();
  new Cluster("east", one("10.0.0.1", { name: "shop" }));
  new Cluster("west", one("10.0.0.2", { name: "shop", hooks: [HOOK] }));
  new Cluster("shop", one("10.0.0.3", { hooks: [HOOK] }));
  await allRegistered();
  const urns = registered.map(urnOf);
  expect(urns.filter((urn, i) => urns.indexOf(urn) !== i)).toEqual([]);
  expect(urns).toContain("pgherd:component:Cluster$pgherd:index:HostBase::west-db1");
  const names = registered.flatMap(({ inputs }) => inputs.cluster ?? []);
  expect(new Set(names)).toEqual(new Set(["shop"]));
});

const HOOK = { name: "announce", when: "after", run: "true" };

test("an address that another resource gives is waited for, and stands in the files", async () => {
  const registered = await recordResources();
  const made = Promise.resolve("10.0.0.7");
  const cluster = new Cluster("later", one(pulumi.output(made)));
  expect(await valueOf(cluster.connection)).toEqual({
    primary: "postgresql://10.0.0.7:5432/?target_session_attrs=read-write",
    replica: "postgresql://10.0.0.7:5432/?target_session_attrs=prefer-standby",
  });
  await allRegistered();
  const patroni = registered.find(({ name }) => name === "later-db1-patroni");
  expect(JSON.stringify(patroni?.inputs.files)).toContain("10.0.0.7:8008");
  expect(registered.filter(({ parent }) => parent === "").map(({ name }) => name)).toEqual([
    "later",
  ]);
});

test("a preview that does not know an address yet says that it shows nothing of the cluster", async () => {
  const registered = await recordResources({ preview: true, made: () => false });
  const warn = vi.spyOn(pulumi.log, "warn").mockImplementation(() => Promise.resolve());
  const machine = new RandomPassword("machine", { length: 8 });
  new Cluster("later", one(machine.result));
  await allRegistered();
  expect(registered.map(({ name }) => name).sort()).toEqual(["later", "machine"]);
  expect(warn.mock.calls.map(([text]) => text)).toEqual([
    expect.stringContaining("later: its settings come from resources that are still to be made"),
  ]);
  warn.mockRestore();
});

test("passwords are secrets, and make none of what is not", async () => {
  await recordResources();
  const users = { postgresql: { users: [{ name: "app" }] } };
  for (const address of ["10.0.0.1", pulumi.output(Promise.resolve("10.0.0.1"))]) {
    const cluster = new Cluster(`of-${typeof address}`, one(address, users));
    expect(await pulumi.isSecret(cluster.passwords)).toBe(true);
    expect(Object.keys(await valueOf(cluster.passwords))).toEqual(["app"]);
    expect(await pulumi.isSecret(cluster.connection)).toBe(false);
    expect(await pulumi.isSecret(cluster.systemIdentifier)).toBe(false);
  }
  await allRegistered();
});

test("wrong settings are refused with every problem before anything is registered", async () => {
  const registered = await recordResources();
  const wrong = {
    ...one("db1.example.com"),
    cluster: { members: ["db1"], dcs: { kind: "zookeeper" } },
  };
  expect(() => new Cluster("wrong", wrong as unknown as ClusterArgs)).toThrow(
    /problems in the stack's configuration:\n.*hosts\.db1\.address[^]*dcs\.kind/,
  );
  await allRegistered();
  expect(registered).toEqual([]);
});

test("a standby cluster without the old server's password is refused", async () => {
  const registered = await recordResources();
  const migration = { method: "standbyCluster", from: "old" };
  const args = one("10.0.0.1", { migration });
  const hosts = { ...(args.hosts as object), old: { address: "10.0.0.9" } };
  expect(() => new Cluster("shop", { ...args, hosts })).toThrow(
    /pgherd:migrationPassword: expected/,
  );
  new Cluster("shop", { ...args, hosts, migrationPassword: "of-the-old-server" });
  await allRegistered();
  expect(JSON.stringify(registered)).toContain("of-the-old-server");
});

test("the stack file of a cluster holds its settings as they were given", async () => {
  await recordResources();
  const { stackFile } = new Cluster("orders", one("10.0.0.1"));
  expect(JSON.parse(await valueOf(stackFile))).toMatchObject({
    config: {
      "pgherd:hosts": { db1: { address: "10.0.0.1" } },
      "pgherd:cluster": { name: "orders", members: ["db1"] },
    },
  });
  await allRegistered();
});

test("settings are typed: what the schema does not know is no argument", () => {
  const cluster = { members: ["db1"], dcs: { kind: "etcd" as const, members: ["db1"] } };
  const typed: ClusterArgs[] = [
    { hosts: { db1: { address: pulumi.output("10.0.0.1") } }, cluster },
    // @ts-expect-error an address is a text
    { hosts: { db1: { address: 5 } }, cluster },
    // @ts-expect-error no such mode
    { hosts: {}, cluster: { ...cluster, replication: { mode: "sync" } } },
    // @ts-expect-error no such block
    { hosts: {}, cluster, sshd: {} },
  ];
  expect(typed).toHaveLength(4);
});
