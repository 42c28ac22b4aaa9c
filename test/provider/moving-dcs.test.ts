import { beforeEach, expect, test, vi } from "vitest";
import type { Probe } from "../../src/host/host";
import type { Context } from "../../src/provider/context";
import { arrive, takeAlong, whoIsLeftBehind } from "../../src/provider/moving-dcs";

vi.mock("node:timers/promises", () => ({ setTimeout: () => Promise.resolve() }));

const OLD = "http://10.0.0.1:2379";
const NEW = "http://10.0.0.9:2379";
const MOVE = { from: { endpoints: [OLD] }, to: { endpoints: [NEW] } };
const MEMBERS = { db1: "10.0.0.1:8008", db2: "10.0.0.2:8008" };
const CLUSTER = {
  ...{ cluster: "demo", members: MEMBERS, port: 5432 },
  balancers: { hosts: ["lb1"], entrances: ["replica"], statsPort: 7000 },
};

type Keys = Map<string, { value: string; revision: number }>;

let dcs: { [endpoint: string]: Keys };
let done: string[];
/** Where each member's Patroni is. */
let at: { [member: string]: string };
let revision: number;

const set = (endpoint: string, key: string, value: string) =>
  dcs[endpoint]?.set(`/service/demo/${key}`, { value, revision: ++revision });
const value = (endpoint: string, key: string) => dcs[endpoint]?.get(`/service/demo/${key}`)?.value;
const config = (endpoint: string) => JSON.parse(value(endpoint, "config") ?? "{}") as object;

beforeEach(() => {
  revision = 0;
  done = [];
  dcs = { [OLD]: new Map(), [NEW]: new Map() };
  at = { db1: OLD, db2: OLD };
  set(OLD, "config", '{"ttl":30}');
  set(OLD, "initialize", "7000000000000000001");
  set(OLD, "sync", '{"leader":"db1","sync_standby":"db2"}');
  set(OLD, "leader", "db1");
  for (const name of Object.keys(MEMBERS)) set(OLD, `members/${name}`, "{}");
});

interface Transaction {
  readonly compare: readonly [{ readonly key: string; readonly modRevision: string }];
  readonly success: readonly {
    readonly requestPut?: { readonly key: string; readonly value: string };
    readonly requestDeleteRange?: { readonly key: string };
  }[];
}

/** An etcd, by what a script sends to it. */
function answer(script: string): string {
  const keys = dcs[script.includes(NEW) ? NEW : OLD] as Keys;
  const body = /^\{"(key|compare)".*$/m.exec(script)?.[0] ?? "{}";
  const asked = JSON.parse(body) as { key: string } & Transaction;
  if (asked.key) {
    const found = keys.get(atob(asked.key));
    const kvs = found ? [{ value: btoa(found.value), mod_revision: String(found.revision) }] : [];
    return JSON.stringify({ header: {}, kvs });
  }
  const [{ key, modRevision }] = asked.compare;
  if ((keys.get(atob(key))?.revision ?? 0) !== Number(modRevision)) throw new Error("lost a race");
  for (const { requestPut: put, requestDeleteRange: gone } of asked.success) {
    if (put) keys.set(atob(put.key), { value: atob(put.value), revision: ++revision });
    if (gone) keys.delete(atob(gone.key));
  }
  return "";
}

const context = {
  host: (name: string) => ({
    observe<T>({ script, parse }: Probe<T>): Promise<T> {
      const endpoint = at[name] ?? "";
      const tell = () => {
        if (script.includes("ExecMainStartTimestampMonotonic"))
          return "ExecMainStartTimestampMonotonic=1\nActiveState=active\n5000.25\n";
        if (script.includes("pg_is_in_recovery")) return name === "db1" ? "t\n" : "f\n";
        if (script.includes("/patroni"))
          return JSON.stringify({ pause: "pause" in config(endpoint), dcs_last_seen: 1 });
        return answer(script);
      };
      return Promise.resolve(parse(tell()));
    },
    change(what: string, script: string): Promise<string> {
      done.push(`${name}: ${what}`);
      if (what.startsWith("moving")) return Promise.resolve(answer(script));
      if (what.startsWith("starting")) {
        at[name] = NEW;
        set(NEW, `members/${name}`, "{}");
        if (name === "db1") set(NEW, "leader", "db1");
      }
      return Promise.resolve("");
    },
  }),
  progress() {},
  info() {},
} as unknown as Context;

test("the new DCS learns what the old one knows, and both are paused", async () => {
  await takeAlong(context, "urn", MOVE, CLUSTER);
  expect([config(OLD), config(NEW)]).toEqual([
    { ttl: 30, pause: true },
    { ttl: 30, pause: true },
  ]);
  expect(value(NEW, "initialize")).toBe("7000000000000000001");
  expect(value(NEW, "sync")).toBe('{"leader":"db1","sync_standby":"db2"}');
  expect(value(NEW, "leader")).toBeUndefined();
});

test("replicas begin there before the primary, whose lead ends the pause", async () => {
  await takeAlong(context, "urn", MOVE, CLUSTER);
  done = [];
  await arrive(context, "urn", MOVE, CLUSTER);
  expect(done).toEqual([
    "lb1: freezing HAProxy's checks",
    "db2: starting Patroni again",
    "db1: starting Patroni again",
    "lb1: ending the freeze of HAProxy's checks",
    "db1: moving to another DCS",
    "db1: moving to another DCS",
  ]);
  expect(config(NEW)).toEqual({ ttl: 30 });
  expect(value(NEW, "pgherd-move")).toBeUndefined();
  done = [];
  await takeAlong(context, "urn", MOVE, CLUSTER);
  await arrive(context, "urn", MOVE, CLUSTER);
  expect(done).toEqual([]);
});

test("a pause that was there before stays", async () => {
  set(OLD, "config", '{"ttl":30,"pause":true}');
  await takeAlong(context, "urn", MOVE, CLUSTER);
  await arrive(context, "urn", MOVE, CLUSTER);
  expect(config(NEW)).toEqual({ ttl: 30, pause: true });
});

test("a run that goes on where one was killed ends the pause of that one", async () => {
  await takeAlong(context, "urn", MOVE, CLUSTER);
  await takeAlong(context, "urn", MOVE, CLUSTER);
  // Somebody has started the primary's Patroni meanwhile, and the old lease has run out.
  at.db1 = NEW;
  dcs[OLD]?.delete("/service/demo/leader");
  set(NEW, "members/db1", "{}");
  set(NEW, "leader", "db1");
  await takeAlong(context, "urn", MOVE, CLUSTER);
  await arrive(context, "urn", MOVE, CLUSTER);
  expect(config(NEW)).toEqual({ ttl: 30 });
});

test.each([
  ["leader", "found no leader"],
  ["members/db2", "found no db2"],
])("a cluster without its %s is not begun to be moved", async (key, found) => {
  dcs[OLD]?.delete(`/service/demo/${key}`);
  await expect(takeAlong(context, "urn", MOVE, CLUSTER)).rejects.toThrow(found);
  expect([config(OLD), done]).toEqual([{ ttl: 30 }, []]);
});

test("a cluster that has never been in the old one is begun in the new one", async () => {
  dcs[OLD]?.clear();
  await takeAlong(context, "urn", MOVE, CLUSTER);
  expect(done).toEqual([]);
});

test("who is still in the old one is known by both", async () => {
  const left = () => whoIsLeftBehind(context, MOVE, "demo", Object.keys(MEMBERS));
  expect(await left()).toEqual(["db1", "db2"]);
  set(NEW, "members/db2", "{}");
  expect(await left()).toEqual(["db1"]);
});
