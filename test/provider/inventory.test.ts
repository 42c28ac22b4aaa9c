import { afterEach, expect, test } from "vitest";
import * as grpc from "@grpc/grpc-js";
import { ResourceProviderClient } from "@pulumi/pulumi/proto/provider_grpc_pb";
import messages from "@pulumi/pulumi/proto/provider_pb";
import {
  currentInventory,
  isNamedNowhere,
  keepFormerHosts,
  removedHosts,
} from "../../src/provider/inventory";
import { pgherdProvider } from "../../src/provider/provider";
import { listen } from "../../src/rpc/server";
import { fromStruct, toStruct, type Values } from "../../src/rpc/values";

const KEY = `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${"OLD".padEnd(43, "A")}`;
const NEW_KEY = `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${"NEW".padEnd(43, "A")}`;

const ssh = { user: "deploy", sudo: true, connectTimeout: 10 };
const recorded = {
  hosts: {
    db1: { address: "10.89.0.11", hostKey: KEY },
    db2: { address: "10.89.0.12", hostKey: KEY },
  },
  ssh,
};
const never = () => expect.fail("the settings can be read");

/** The stack's values as the engine puts them into a provider's environment. */
function environment(values: { hosts?: unknown; ssh?: unknown; cluster?: unknown }): string {
  return JSON.stringify(
    Object.fromEntries(
      Object.entries(values).map(([name, value]) => [name, JSON.stringify(value)]),
    ),
  );
}

const cleanup: (() => void)[] = [];
afterEach(() => cleanup.splice(0).forEach((one) => one()));

test("a refresh of an old state reaches the hosts by the stack's settings of today", () => {
  const now = environment({
    hosts: {
      db1: { address: "10.89.0.21", hostKey: NEW_KEY, user: "anna" },
      db2: { address: "10.89.0.12" },
    },
    ssh: { user: "root", sudo: false, identityFile: "~/new", proxyJump: "gate", port: 2222 },
  });
  const { hosts, ssh: settings } = currentInventory(recorded, now, never);
  expect(hosts.db1).toEqual({ address: "10.89.0.21", hostKey: NEW_KEY, user: "anna" });
  // What the stack says no more is not kept either.
  expect(hosts.db2).toEqual({ address: "10.89.0.12" });
  expect(settings).toMatchObject({
    ...{ user: "root", sudo: false, identityFile: "~/new", proxyJump: "gate", port: 2222 },
  });
  expect(settings.connectTimeout).toBeUndefined();
});

test("what the engine hands over is used where the stack has no hosts of its own", () => {
  for (const none of [undefined, "{}", environment({ ssh: { user: "root" } })]) {
    expect(currentInventory(recorded, none, never)).toEqual(recorded);
  }
});

test("settings that cannot be read are told, and those of the last run are used", () => {
  for (const broken of ["{", '{"hosts":"[1"}', environment({ hosts: { db1: { adress: "x" } } })]) {
    let told = 0;
    expect(currentInventory(recorded, broken, () => (told += 1))).toEqual(recorded);
    expect(told).toBe(1);
  }
});

test("a host that the stack names no more is reached until all of it is removed, in later runs too", () => {
  const wanted = { inventory: { hosts: { db1: recorded.hosts.db1 }, ssh } };
  const first = keepFormerHosts(wanted, { inventory: recorded });
  expect(first.inventory).toMatchObject({ former: { db2: recorded.hosts.db2 } });
  const second = keepFormerHosts(wanted, first);
  expect(second).toEqual(first);
  const { hosts } = currentInventory(
    second.inventory as never,
    environment({ hosts: wanted.inventory.hosts }),
    never,
  );
  expect(hosts.db2).toEqual(recorded.hosts.db2);
  // A host that comes back is not kept as it was.
  const back = { hosts: { ...recorded.hosts, db2: { address: "10.89.0.99" } }, ssh };
  expect(keepFormerHosts({ inventory: back }, second)).toEqual({ inventory: back });
  expect(keepFormerHosts(wanted, {})).toEqual(wanted);
});

test("the engine is told of changed connection settings, and of nothing where there are none", async () => {
  const { server, port } = await listen(pgherdProvider(undefined), "1.2.3");
  const address = `127.0.0.1:${port}`;
  const client = new ResourceProviderClient(address, grpc.credentials.createInsecure());
  cleanup.push(() => server.forceShutdown());
  const diff = async (old: Values, wanted: Values) => {
    const request = new messages.DiffRequest();
    request.setOldInputs(toStruct({ inventory: old }));
    request.setOlds(toStruct({ inventory: old }));
    request.setNews(toStruct({ inventory: wanted }));
    const response = await new Promise<messages.DiffResponse>((resolve, reject) =>
      client.diffConfig(request as never, (error: unknown, answer: unknown) =>
        error ? reject(error as Error) : resolve(answer as messages.DiffResponse),
      ),
    );
    expect(response.getReplacesList()).toEqual([]);
    const paths: string[] = [];
    response.getDetaileddiffMap().forEach((_: unknown, path: string) => paths.push(path));
    return paths;
  };
  const old = recorded as unknown as Values;
  expect(await diff(old, structuredClone(old))).toEqual([]);
  expect(await diff(old, { ...old, ssh: { ...ssh, user: "root" } })).toEqual([
    "inventory.ssh.user",
  ]);
  const db1 = { ...recorded.hosts.db1, hostKey: NEW_KEY };
  expect(await diff(old, { ...old, hosts: { ...recorded.hosts, db1 } })).toEqual([
    "inventory.hosts.db1.hostKey",
  ]);

  const request = new messages.CheckRequest();
  request.setOlds(toStruct({ inventory: old }));
  request.setNews(toStruct({ inventory: { hosts: { db1 }, ssh } }));
  const checked = await new Promise<messages.CheckResponse>((resolve, reject) =>
    client.checkConfig(request as never, (error: unknown, answer: unknown) =>
      error ? reject(error as Error) : resolve(answer as messages.CheckResponse),
    ),
  );
  expect(fromStruct(checked.getInputs())).toEqual({
    inventory: { hosts: { db1 }, ssh, former: { db2: recorded.hosts.db2 } },
  });
});

test("hosts that are gone for good are told by the program, and by the stack before it has run", () => {
  const now = environment({ cluster: { members: ["db1"], removed: ["db3"] } });
  expect(removedHosts(recorded, now)).toEqual(["db3"]);
  expect(removedHosts({ ...recorded, removed: ["db2"] }, now)).toEqual(["db2", "db3"]);
  expect(removedHosts({ ...recorded, removed: ["db2"] }, undefined)).toEqual(["db2"]);
  for (const broken of ["{", '{"cluster":"[1"}', environment({ cluster: { removed: "db3" } })])
    expect(removedHosts(recorded, broken)).toEqual([]);
});

test("only of a host that the stack names nowhere may be said that it can be given up", () => {
  const now = environment({ cluster: { members: ["db1", { host: "db2" }] } });
  expect(isNamedNowhere("db3", now)).toBe(true);
  for (const named of ["db1", "db2"]) expect(isNamedNowhere(named, now)).toBe(false);
  expect(isNamedNowhere("db3", undefined)).toBe(false);
});
