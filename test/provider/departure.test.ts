import { beforeEach, expect, test, vi } from "vitest";
import { handOver } from "../../src/cluster/hand-over";
import { ConnectError } from "../../src/errors";
import type { Probe } from "../../src/host/host";
import { Context } from "../../src/provider/context";
import { departure } from "../../src/provider/departure";
import type { DepartureInputs } from "../../src/resources/inputs/departure";

vi.mock("../../src/cluster/hand-over", () => ({ handOver: vi.fn() }));

const ENDPOINTS: { readonly [member: string]: string } = {
  ...{ db1: "10.89.0.11:8008", db2: "10.89.0.12:8008", db3: "10.89.0.13:8008" },
};

/** A cluster in which db1 leads, and db2 confirms commits, as far as it is asked when somebody leaves. */
let leader: string;
let confirming: string;
let running: string[];
let enabled: string[];
let away: string[];
/** Members whose files keep them from confirming. */
let silenced: string[];
/** Who has a slot, on whoever is asked. */
let slots: string[];
let slotTime: number | null;
let done: string[];
let warned: string[];
/** Where the provider is killed. */
let killedAt: string;
/** The clusters that hosts say they belong to, where it is not this one. */
let records: { [host: string]: string };
/** Members whose Patroni does not change its configuration back. */
let refusing: string[];
/** Members whose PostgreSQL runs without Patroni. */
let orphaned: string[];

beforeEach(() => {
  [leader, confirming] = ["db1", "db2"];
  running = Object.keys(ENDPOINTS);
  enabled = [...running];
  [away, silenced, done, warned] = [[], [], [], []];
  slots = Object.keys(ENDPOINTS);
  slotTime = null;
  killedAt = "";
  [records, orphaned, refusing] = [{}, [], []];
  vi.mocked(handOver).mockReset();
  vi.mocked(handOver).mockImplementation((_cluster, { from, to }) => {
    done.push(`${from}: handing over to ${to}`);
    leader = to;
    choose();
    return Promise.resolve({} as never);
  });
});

function choose(): void {
  const able = running.filter((name) => name !== leader && !silenced.includes(name));
  if (!able.includes(confirming)) confirming = able[0] ?? "";
}

function view() {
  return {
    paused: false,
    members: running.map((name) => ({
      name,
      role: name === leader ? "leader" : name === confirming ? "sync_standby" : "replica",
      ...{ state: name === leader ? "running" : "streaming", lagBytes: 0, pendingRestart: false },
    })),
  };
}

class PlayedHost {
  constructor(readonly name: string) {}

  observe<T>({ script, parse }: Probe<T>): Promise<unknown> {
    if (away.includes(this.name))
      return Promise.reject(new ConnectError(this.name, "nobody answers."));
    if (script.includes("/dev/tcp/")) {
      const row = (server: string) =>
        ["replica", server, ...Array<string>(15).fill("0"), "UP"].join(",");
      return Promise.resolve(parse(["db1", "db2", "db3"].map(row).join("\n")));
    }
    if (script.includes("/var/lib/pgherd/cluster"))
      return Promise.resolve(parse(records[this.name] ?? "demo\n"));
    if (script.includes("8008/patroni"))
      return Promise.resolve(running.includes(this.name) ? { scope: "demo" } : undefined);
    if (script.includes("pg_isready"))
      return Promise.resolve(parse(orphaned.includes(this.name) ? "yes\n" : ""));
    if (script.includes("/cluster")) return Promise.resolve(view());
    if (script.includes("/config"))
      return Promise.resolve(
        parse(JSON.stringify(slotTime === null ? {} : { member_slots_ttl: slotTime })),
      );
    if (script.includes("pg_replication_slots")) {
      const held = slots.filter((name) => script.includes(`'${name}'`));
      const gone = (name: string) => !running.includes(name) && slotTime === 0;
      slots = slots.filter((name) => !gone(name));
      return Promise.resolve(Object.fromEntries(held.map((name) => [name, false])));
    }
    if (script.includes("10-member.yml"))
      return Promise.resolve({ dataDirectory: "/srv/data", binDirectory: "/usr/bin" });
    if (/xact_start|basebackup/.test(script)) return Promise.resolve([]);
    if (script.includes("kv/range"))
      return Promise.resolve({ value: '{"synchronous_mode":true}', revision: "1" });
    const up = running.includes(this.name);
    return Promise.resolve({
      ...{ active: up ? "active" : "inactive", sub: up ? "running" : "dead" },
      enabled: enabled.includes(this.name) ? "enabled" : "disabled",
      ...{ invocation: "", since: 0, loaded: "" },
    });
  }

  change(action: string, script: string): Promise<string> {
    if (away.includes(this.name))
      return Promise.reject(new ConnectError(this.name, "nobody answers."));
    if (script.includes('"member_slots_ttl":null') && refusing.includes(this.name))
      return Promise.reject(new Error(`${this.name} refuses`));
    done.push(`${this.name}: ${action}`);
    if (script.includes("nosync: true")) silenced.push(this.name);
    if (script.includes("systemctl disable")) {
      running = running.filter((name) => name !== this.name);
      enabled = enabled.filter((name) => name !== this.name);
    }
    if (script.includes("member_slots_ttl")) slotTime = script.includes(":0") ? 0 : null;
    choose();
    return killedAt !== "" && action.includes(killedAt)
      ? Promise.reject(new Error("killed"))
      : Promise.resolve("");
  }
}

function inputs(...leaving: string[]): DepartureInputs {
  const all = Object.keys(ENDPOINTS);
  const some = (names: string[]) =>
    Object.fromEntries(names.map((name) => [name, ENDPOINTS[name] ?? ""]));
  return {
    cluster: "demo",
    joining: [],
    leaving: some(leaving),
    members: some(all.filter((name) => !leaving.includes(name))),
    ...{ port: 5432, neverLead: [], synchronous: { role: "sync_standby", count: 1 } },
    rolling: { maximumLag: 1000, longestTransaction: 15, drain: 0, wait: 5 },
    balancers: { hosts: ["lb1"], entrances: ["replica"], statsPort: 7000 },
    dcs: { host: "db1", endpoints: ["http://10.89.0.11:2379"] },
  };
}

function leave(wanted: DepartureInputs, removed: string[] = [], known?: object) {
  const log = {
    progress() {},
    info: async () => {},
    warning: (_urn: string, message: string) => void warned.push(message),
  };
  const context = new Context(
    { hosts: {}, ssh: {} } as never,
    log,
    [],
    PlayedHost as never,
    removed,
  );
  return departure.apply(context, "urn", wanted, known as never);
}

const DROPPED = [
  "db1: having slots of former members dropped",
  "db1: keeping slots of members again",
];

test("a replica is drained, stopped, and its slot dropped", async () => {
  expect(await leave(inputs("db3"))).toMatchObject({ left: ["db3"] });
  expect(done).toEqual([
    "db3: having others confirm commits in place of db3",
    "lb1: draining db3",
    "db3: stopping Patroni on db3, which leaves",
    ...DROPPED,
  ]);
  expect(slots).toEqual(["db1", "db2"]);
  expect(slotTime).toBeNull();
});

test("another one confirms commits before who does so is stopped", async () => {
  await leave(inputs("db2"));
  expect(confirming).toBe("db3");
  expect(done.indexOf("db2: having others confirm commits in place of db2")).toBe(0);
});

test("the leader hands over to one that stays, and is stopped as a replica", async () => {
  await leave(inputs("db1"));
  const steps = done.map((one) => done.indexOf(one));
  expect(steps).toEqual([...steps].sort((a, b) => a - b));
  expect(done).toContain("db1: handing over to db2");
  expect(done.indexOf("db1: handing over to db2")).toBeLessThan(
    done.indexOf("db1: stopping Patroni on db1, which leaves"),
  );
});

test("where the leader leaves together with who confirms, the third takes the lead", async () => {
  await leave(inputs("db1", "db2"));
  expect(done).toContain("db1: handing over to db3");
  expect(running).toEqual(["db3"]);
});

test.each(["confirm commits", "draining", "stopping", "dropped"])(
  "a run that is killed at %s is gone on with, and the next one does nothing",
  async (step) => {
    killedAt = step;
    await expect(leave(inputs("db2"))).rejects.toThrow("killed");
    killedAt = "";
    const state = await leave(inputs("db2"));
    expect(running).toEqual(["db1", "db3"]);
    expect(slots).toEqual(["db1", "db3"]);
    expect(slotTime).toBeNull();
    done = [];
    await leave(inputs("db2"));
    await leave(inputs("db2"), [], state);
    expect(done).toEqual([]);
  },
);

test("one out of reach is waited for unless it is said to be gone, and then asked nothing", async () => {
  away = ["db3"];
  running = ["db1", "db2"];
  await expect(leave(inputs("db3"))).rejects.toThrow(
    /db3: expected to be reached.*pgherd:cluster\.removed: \[db3\]/,
  );
  expect(done).toEqual([]);
  await leave(inputs("db3"), ["db3"]);
  expect(done).toEqual(["db1: taking db3 out of the DCS", ...DROPPED]);
  expect(slots).toEqual(["db1", "db2"]);
});

test("nothing is begun where a member that stays is not up", async () => {
  running = ["db1", "db3"];
  enabled = ["db1", "db2", "db3"];
  const three = inputs("db3");
  await expect(
    leave({ ...three, members: { db1: ENDPOINTS.db1 ?? "", db2: ENDPOINTS.db2 ?? "" } }),
  ).rejects.toThrow(/db2: expected every member that stays to stream/);
  expect(done).toEqual([]);
});

test("a departure that fails forgets nobody who has left before, and keeps in mind only who is still to be away", () => {
  const known = { ...inputs("db2", "db3"), left: ["db2", "db3"] };
  expect(departure.unfinished?.(inputs("db1", "db3"), known)).toMatchObject({
    leaving: inputs("db1", "db3").leaving,
    left: ["db3"],
  });
  // Where the first one has failed nobody has.
  expect(departure.unfinished?.(inputs("db3"), inputs("db3") as never)).toMatchObject({ left: [] });
});

test.each(["other\n", "\n"])(
  "a host that is not this cluster's is left alone (%j)",
  async (record) => {
    records.db3 = record;
    running = ["db1", "db2"];
    await leave(inputs("db3"));
    expect(done.filter((one) => one.startsWith("db3"))).toEqual([]);
    expect(enabled).toContain("db3");
    expect(warned).toEqual([expect.stringMatching(/^db3: expected a host of the cluster demo/)]);
  },
);

test("slots of members are kept again by whichever member takes it, and the first error is the one that is told", async () => {
  refusing = ["db1"];
  await leave(inputs("db3"));
  expect(slotTime).toBeNull();
  expect(done.at(-1)).toBe("db2: keeping slots of members again");
  refusing = ["db1"];
  killedAt = "dropped";
  await expect(leave(inputs("db2", "db3"))).rejects.toThrow("killed");
  expect(warned).toEqual([expect.stringContaining("member_slots_ttl is 0 still")]);
});

test("what a killed run has left of dropping slots is taken back, also where it cannot go on with that", async () => {
  slotTime = 0;
  [running, enabled] = [["db1"], ["db1"]];
  await leave(inputs("db3"));
  expect(slotTime).toBeNull();
  expect(warned).toEqual([expect.stringContaining("not every member is up")]);
});

test("one whose PostgreSQL runs on without Patroni has not left, and is told how it is stopped", async () => {
  orphaned = ["db3"];
  running = ["db1", "db2"];
  await expect(leave(inputs("db3"))).rejects.toThrow(
    "db3: expected PostgreSQL to have ended with Patroni, found it running on port 5432 still, as it does where Patroni was stopped while the cluster was paused. " +
      "Stop it on db3: sudo -u postgres /usr/bin/pg_ctl -D /srv/data -m fast stop; then pulumi up again.",
  );
  expect(done).toEqual(["db3: stopping Patroni on db3, which leaves"]);
});
