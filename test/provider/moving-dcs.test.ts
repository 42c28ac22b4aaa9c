import { beforeEach, expect, test, vi } from "vitest";
import { NO_ANSWER } from "../../src/dcs/no-answer";
import { CommandError } from "../../src/errors";
import type { Probe } from "../../src/host/host";
import type { Context } from "../../src/provider/context";
import { arrive } from "../../src/provider/arrive";
import { foreseeServices } from "../../src/provider/foresee-services";
import { whoIsLeftBehind } from "../../src/provider/moving-dcs";
import { takeAlong } from "../../src/provider/take-along";

vi.mock("node:timers/promises", () => ({ setTimeout: () => Promise.resolve() }));

const OLD = "http://10.0.0.1:2379";
const NEW = "http://10.0.0.9:2379";
const MOVE = { from: { endpoints: [OLD] }, to: { endpoints: [NEW] } };
const MEMBERS = { db1: "10.0.0.1:8008", db2: "10.0.0.2:8008" };
const CLUSTER = {
  ...{ cluster: "demo", members: MEMBERS, port: 5432 },
  balancers: { hosts: ["lb1"], entrances: ["replica"], statsPort: 7000 },
  dcs: { host: "db1", ...MOVE.to },
  move: MOVE,
};

type Keys = Map<string, { value: string; revision: number }>;

let dcs: { [endpoint: string]: Keys };
let done: string[];
/** Members whose Patroni would get no answer from the new one. */
let cutOff: string[];
/** Where a Patroni goes that begins anew. */
let home: string;
/** Servers that do not run. */
let stopped: string[];
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
  cutOff = [];
  stopped = [];
  home = NEW;
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
  const keys = dcs[script.includes(NEW) ? NEW : OLD];
  if (!keys) throw new CommandError("db1", "asking", NO_ANSWER, "nobody answers");
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
        if (script.includes("ActiveEnterTimestamp")) return "ActiveState=active\nInvocationID=1\n";
        // There are none of its files yet.
        if (script.includes("exchangeable")) return "";
        if (script.includes("ss -Hltn")) return "";
        if (script.includes("pg_is_in_recovery"))
          return stopped.includes(name) ? "" : name === "db1" ? "t\n" : "f\n";
        if (script.includes("/patroni"))
          return JSON.stringify({ pause: "pause" in config(endpoint), dcs_last_seen: 1 });
        return answer(script);
      };
      try {
        return Promise.resolve(parse(tell()));
      } catch (error) {
        return Promise.reject(error as Error);
      }
    },
    run(what: string): Promise<string> {
      done.push(`${name}: ${what}`);
      return cutOff.includes(name)
        ? Promise.reject(new CommandError(name, what, 1, "no answer"))
        : Promise.resolve("");
    },
    change(what: string, script: string): Promise<string> {
      done.push(`${name}: ${what}`);
      if (/DCS|pause|pausing|move|another life/.test(what)) {
        try {
          return Promise.resolve(answer(script));
        } catch (error) {
          return Promise.reject(error as Error);
        }
      }
      if (what.startsWith("starting")) {
        at[name] = home;
        set(home, `members/${name}`, "{}");
        if (name === "db1") set(home, "leader", "db1");
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
  await arrive(context, "urn", CLUSTER);
  expect(done).toEqual([
    "db1: asking by Patroni's client",
    "db2: asking by Patroni's client",
    "db1: telling the new DCS again",
    "lb1: freezing HAProxy's checks",
    "db2: starting Patroni again",
    "lb1: ending the freeze of HAProxy's checks",
    "db1: telling the new DCS again",
    "lb1: freezing HAProxy's checks",
    "db1: starting Patroni again",
    "lb1: ending the freeze of HAProxy's checks",
    "db1: ending the pause",
    "lb1: ending the freeze of HAProxy's checks",
    "db1: ending the move there",
    "db1: ending the move",
  ]);
  expect(config(NEW)).toEqual({ ttl: 30 });
  for (const endpoint of [OLD, NEW]) expect(value(endpoint, "pgherd-move")).toBeUndefined();
  done = [];
  await takeAlong(context, "urn", MOVE, CLUSTER);
  await arrive(context, "urn", CLUSTER);
  expect(done).toEqual([]);
});

test("a pause that was there before stays", async () => {
  set(OLD, "config", '{"ttl":30,"pause":true}');
  await takeAlong(context, "urn", MOVE, CLUSTER);
  await arrive(context, "urn", CLUSTER);
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
  await arrive(context, "urn", CLUSTER);
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

test("a preview says that the cluster moves, and what becomes of each Patroni", async () => {
  const move = { ...MOVE, members: Object.keys(MEMBERS), fixed: {} };
  const told = new Set<string>();
  const files = { paths: ["/etc/patroni/demo.yml"], hash: "another" };
  const services = { patroni: { db1: files, db2: files } };
  const foresee = () =>
    foreseeServices({ ...context, told } as Context, { cluster: "demo", services, move });
  expect(await foresee()).toEqual([
    "demo moves from etcd of its own to etcd of its own: it is paused meanwhile, so that nobody takes over. " +
      "Clients write on, no session ends, and whoever leads leads on",
    "patroni on db1, db2 begins anew there, the primary's last: PostgreSQL goes on",
  ]);
  // The new one is not there yet, or takes in nobody.
  delete dcs[NEW];
  expect((await foresee())[0]).toMatch("demo moves");
  dcs[NEW] = new Map();
  for (const name of Object.keys(MEMBERS)) set(NEW, `members/${name}`, "{}");
  expect(await foresee()).toEqual(["patroni on db1, db2 reloads its files: PostgreSQL goes on"]);
});

test("a run that was killed as soon as the cluster was paused has left whose pause that is", async () => {
  const kill = vi.spyOn(context, "progress").mockImplementation((_urn, message) => {
    if (message.startsWith("telling")) throw new Error("killed");
  });
  await expect(takeAlong(context, "urn", MOVE, CLUSTER)).rejects.toThrow("killed");
  kill.mockRestore();
  expect(config(OLD)).toEqual({ ttl: 30, pause: true });
  await takeAlong(context, "urn", MOVE, CLUSTER);
  await arrive(context, "urn", CLUSTER);
  expect(config(NEW)).toEqual({ ttl: 30 });
});

test("with the blocks exchanged half-way it goes back, and the pause ends", async () => {
  await takeAlong(context, "urn", MOVE, CLUSTER);
  at.db2 = NEW;
  set(NEW, "members/db2", "{}");
  dcs[OLD]?.delete("/service/demo/members/db2");
  const back = { from: MOVE.to, to: MOVE.from };
  await takeAlong(context, "urn", back, CLUSTER);
  home = OLD;
  await arrive(context, "urn", { ...CLUSTER, dcs: { host: "db1", ...back.to }, move: back });
  expect([at, config(OLD), value(OLD, "leader")]).toEqual([
    { db1: OLD, db2: OLD },
    { ttl: 30 },
    "db1",
  ]);
  for (const endpoint of [OLD, NEW]) expect(value(endpoint, "pgherd-move")).toBeUndefined();
});

test("who confirms commits by the time that members go is told again", async () => {
  await takeAlong(context, "urn", MOVE, CLUSTER);
  set(OLD, "sync", '{"leader":"db1","sync_standby":"db3"}');
  await arrive(context, "urn", CLUSTER);
  expect(value(NEW, "sync")).toContain("db3");
});

test("what another life of the cluster has left in the new one nobody finds there", async () => {
  set(NEW, "config", '{"ttl":20,"pause":true}');
  set(NEW, "failover", '{"member":"db2"}');
  set(NEW, "pgherd-proven-config", "{}");
  set(NEW, "pgherd-move", '{"paused":true}');
  set(NEW, "initialize", "7000000000000000001");
  await takeAlong(context, "urn", MOVE, CLUSTER);
  expect([value(NEW, "failover"), value(NEW, "pgherd-proven-config")]).toEqual([
    undefined,
    undefined,
  ]);
  await arrive(context, "urn", CLUSTER);
  expect(config(NEW)).toEqual({ ttl: 30 });
});

test("another cluster of the same name is never written over", async () => {
  set(NEW, "initialize", "7000000000000000009");
  set(NEW, "leader", "db9");
  await expect(takeAlong(context, "urn", MOVE, CLUSTER)).rejects.toThrow(
    "found one with the database 7000000000000000009",
  );
  expect(done).toEqual([]);
});

test("a planned switchover comes first", async () => {
  set(OLD, "failover", "{}");
  await expect(takeAlong(context, "urn", MOVE, CLUSTER)).rejects.toThrow("that is planned");
});

test("nobody is ended whose Patroni would get no answer in the new one", async () => {
  await takeAlong(context, "urn", MOVE, CLUSTER);
  cutOff = ["db1"];
  await expect(arrive(context, "urn", CLUSTER)).rejects.toThrow(
    "db1: expected Patroni's own client to get an answer",
  );
  expect(at).toEqual({ db1: OLD, db2: OLD });
});

test("an old DCS that is gone after it has told all keeps nobody from arriving", async () => {
  await takeAlong(context, "urn", MOVE, CLUSTER);
  delete dcs[OLD];
  await takeAlong(context, "urn", MOVE, CLUSTER);
  await arrive(context, "urn", CLUSTER);
  expect([at, config(NEW)]).toEqual([{ db1: NEW, db2: NEW }, { ttl: 30 }]);
});

test("where every server is down the pause ends, so that Patroni starts them", async () => {
  await takeAlong(context, "urn", MOVE, CLUSTER);
  for (const name of ["db1", "db2"]) {
    at[name] = NEW;
    set(NEW, `members/${name}`, "{}");
  }
  dcs[OLD]?.delete("/service/demo/leader");
  stopped = ["db1", "db2"];
  vi.spyOn(context, "progress").mockImplementation((_urn, message) => {
    if (message === "ending the pause") set(NEW, "leader", "db1");
  });
  await arrive(context, "urn", CLUSTER);
  expect(config(NEW)).toEqual({ ttl: 30 });
});
