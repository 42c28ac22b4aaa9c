import { beforeAll, expect, test, vi } from "vitest";
import { rawStack } from "../../src/cli/stack";
import { parseSettings } from "../../src/config/parse";
import { allRegistered, recordResources, type Registered } from "../registered";

vi.setConfig({ testTimeout: 120_000, hookTimeout: 300_000 });

/** The resources in the order in which the engine hears of them. */
let heard: readonly Registered[];

/** A preview of a cluster to which backups are added: the passwords of their roles are still to be made. */
beforeAll(async () => {
  heard = await recordResources({ preview: true, made: (name) => !name.includes("barman") });
  const { Cluster } = await import("../../src/components/cluster");
  const stack = rawStack("lab");
  const cluster = { ...(stack.cluster as object), backup: { host: "backup1" } };
  new Cluster("demo", parseSettings({ ...stack, cluster }));
  await allRegistered();
});

test("the preflight, which a preview hears of before every host, knows what the daemons are made from", () => {
  const names = heard.map(({ name }) => name);
  const at = names.indexOf("demo-preflight");
  for (const later of ["demo-db1", "demo-lb1-haproxy", "demo-db1-patroni", "demo-patroni-cluster"])
    expect(names.indexOf(later), later).toBeGreaterThan(at);
  const { services } = heard[at]?.inputs as { services: { [daemon: string]: object } };
  expect(Object.keys(services).sort()).toEqual(["etcd", "haproxy", "keepalived", "patroni"]);
  expect(Object.keys(services.patroni as object)).toEqual(["db1", "db2", "db3"]);
  expect(JSON.stringify(services)).not.toContain("secret");
});

test("what becomes of the members is told after the preflight and before every host", () => {
  const names = heard.map(({ name }) => name);
  const at = names.indexOf("demo-report");
  expect(at).toBeGreaterThan(names.indexOf("demo-preflight"));
  for (const later of ["demo-db1", "demo-lb1", "demo-backup1", "demo-configuration"])
    expect(names.indexOf(later), later).toBeGreaterThan(at);
  const database = heard.find(({ name }) => name === "demo-patroni-cluster");
  expect(heard[at]?.inputs.configuration).toEqual(database?.inputs.configuration);
  expect(JSON.stringify(heard[at]?.inputs)).not.toContain("password-of");
});

test("a password that is still to be made leaves what it does not stand in as it is", () => {
  const filesOf = (service: string) =>
    JSON.stringify(heard.find(({ name }) => name === service)?.inputs.files);
  expect(filesOf("demo-lb1-haproxy")).toContain("password-of-demo-passwords-stats");
  expect(filesOf("demo-db1-patroni")).toContain("password-of-demo-passwords-rewind");
});
