import * as pulumi from "@pulumi/pulumi";
import { beforeAll, expect, test, vi } from "vitest";
import { readStack } from "../../src/cli/stack";
import { allRegistered, isSecret, recordResources, type Registered } from "../registered";

vi.setConfig({ testTimeout: 120_000, hookTimeout: 300_000 });

let registered: Registered[];
let passwords: pulumi.Output<{ readonly [user: string]: string }>;

beforeAll(async () => {
  registered = await recordResources();
  const { Cluster } = await import("../../src/components/cluster");
  const cluster = new Cluster("demo", readStack("lab"));
  passwords = cluster.passwords;
  await allRegistered();
});

test("no two resources have one name", () => {
  const names = registered.map(({ name }) => name);
  expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
});

test("every resource belongs to the cluster", () => {
  const roots = registered.filter(({ parent }) => !parent.includes("pgherd:component:Cluster"));
  expect(roots.map(({ name }) => name)).toEqual(["demo"]);
});

test("services belong to their daemon", () => {
  for (const { name, parent } of ofType("Service")) {
    expect(parent.split("::").at(-1)).toBe(`demo-${name.split("-").at(-1)}`);
  }
});

test("a service waits for its host and the host's firewall", () => {
  const waitsFor = (resource: string) =>
    registered
      .find(({ name }) => name === resource)
      ?.dependencies.map((urn) => urn.split("::").at(-1));
  expect(waitsFor("demo-db1-etcd")).toContain("demo-db1-firewall");
  expect(waitsFor("demo-db1-firewall")).toContain("demo-db1");
});

test("files that hold passwords are secret, and only these", () => {
  const secret = ofType("Service").flatMap(({ name, inputs }) =>
    Object.entries(inputs.files as { [path: string]: { content: unknown } })
      .filter(([, { content }]) => isSecret(content))
      .map(([path]) => `${name} ${path}`),
  );
  expect(secret.sort()).toEqual([
    "demo-db1-patroni /etc/patroni/pgherd/20-secrets.yml",
    "demo-db2-patroni /etc/patroni/pgherd/20-secrets.yml",
    "demo-db3-patroni /etc/patroni/pgherd/20-secrets.yml",
    "demo-lb1-haproxy /etc/haproxy/pgherd-users.cfg",
    "demo-lb1-keepalived /etc/keepalived/secret.conf",
    "demo-lb2-haproxy /etc/haproxy/pgherd-users.cfg",
    "demo-lb2-keepalived /etc/keepalived/secret.conf",
  ]);
});

test("the database's passwords are secret", () => {
  const [database] = ofType("PatroniCluster");
  const input = database?.inputs.passwords;
  const inner = isSecret(input) ? [input] : Object.values(input as object);
  expect(inner.length).toBeGreaterThan(0);
  for (const one of inner) expect(isSecret(one)).toBe(true);
});

test("the cluster's passwords stay secret as outputs", async () => {
  expect(await pulumi.isSecret(passwords)).toBe(true);
  expect(
    await new Promise((resolve) => passwords.apply((known) => resolve(Object.keys(known)))),
  ).toEqual(["app"]);
});

test("no password is sent in clear", () => {
  const clear = JSON.stringify(registered, (_key, value) => (isSecret(value) ? "secret" : value));
  expect(clear).not.toContain("password-of-");
  expect(JSON.stringify(registered)).toContain("password-of-demo-passwords-user-app");
});

function ofType(type: string): Registered[] {
  return registered.filter((one) => one.type === `pgherd:index:${type}`);
}
