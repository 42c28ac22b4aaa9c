import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ConnectError, HealthError } from "../../src/errors";
import type { ListedMember } from "../../src/dcs/dcs";
import type { Probe } from "../../src/host/host";
import type { Context } from "../../src/provider/context";
import { careForDcs } from "../../src/provider/dcs-member";
import { refuseStrangers } from "../../src/provider/strangers";

const MEMBERS = {
  db1: "http://10.89.0.11:2379",
  db2: "http://10.89.0.12:2379",
  db3: "http://10.89.0.13:2379",
};
const ETCD = {
  peerUrl: "http://10.89.0.13:2380",
  dataDirectory: "/var/lib/etcd/demo",
  members: MEMBERS,
};
/** A change of the member on db3. */
const CHANGE = {
  cluster: "demo",
  host: "db3",
  unit: "etcd.service",
  restarts: false,
  hadData: true,
  files: { wanted: {}, found: {} },
};

/** What a member of a new DCS begins with. */
const FIRST =
  "ETCD_INITIAL_CLUSTER=db1=http://10.89.0.11:2380,db2=http://10.89.0.12:2380,db3=http://10.89.0.13:2380\nETCD_INITIAL_CLUSTER_STATE=new";

const member = (name: string, number: number, started = true): ListedMember => ({
  id: `${number}f`,
  name,
  peerUrl: `http://10.89.0.1${number}:2380`,
  clientUrl: started ? `http://10.89.0.1${number}:2379` : "",
  learner: false,
});

/** Three hosts in memory. */
let healthy: string[];
let starting: string[];
let unreachable: string[];
let asked: string[];
let withLog: string[];
let membership: ListedMember[];
let done: string[];
let looked: Map<string, Promise<unknown>>;

beforeEach(() => {
  healthy = ["db1", "db2", "db3"];
  starting = [];
  unreachable = [];
  asked = [];
  withLog = ["db1", "db2", "db3"];
  membership = [member("db1", 1), member("db2", 2), member("db3", 3)];
  done = [];
  looked = new Map();
});

afterEach(() => void vi.useRealTimers());

const context = {
  progress() {},
  once<T>(key: string, work: () => Promise<T>): Promise<T> {
    if (!looked.has(key)) looked.set(key, work());
    return looked.get(key) as Promise<T>;
  },
  host: (name: keyof typeof MEMBERS) => ({
    async observe({ script }: Probe<unknown>): Promise<unknown> {
      if (script.includes("systemctl show")) {
        if (unreachable.includes(name)) throw new ConnectError(name, "cannot be reached.");
        return { active: starting.includes(name) ? "activating" : "active" };
      }
      if (script.includes("/v3/kv/range")) asked.push(script);
      if (script.includes("/v3/kv/range"))
        return healthy.map((one) => MEMBERS[one as "db1"]).filter((url) => script.includes(url));
      if (script.includes(".wal")) return withLog.includes(name);
      return { clusterId: "1", members: [...membership] };
    },
    async change(_action: string, script: string): Promise<string> {
      const words = [
        "disable",
        "member remove 3f",
        "member remove 9f",
        "member add db3",
        "promote 3f",
      ];
      done.push(`${name}: ${words.filter((one) => script.includes(one)).join(", ")}`);
      if (script.includes("member remove 9f")) {
        membership = membership.filter(({ id }) => id !== "9f");
      }
      if (script.includes("member add db3")) {
        membership = [...membership, { ...member("", 3, false), learner: true }];
      }
      if (script.includes("promote")) healthy.push("db3");
      return "";
    },
  }),
} as unknown as Context;

const care = (change: Partial<typeof CHANGE> = {}) =>
  careForDcs(context, "urn", ETCD, { ...CHANGE, ...change });

/** The same on one that comes to a DCS that runs. */
const coming = (joins: { [host: string]: string } = { db1: MEMBERS.db1 }) =>
  careForDcs(context, "urn", { ...ETCD, joins }, { ...CHANGE, hadData: false });

test("a member may restart while all others are healthy, and nothing else is done", async () => {
  expect((await care({ restarts: true })).before).toBe("");
  expect(done).toEqual([]);
});

test("a restart that would leave no majority is refused, with who is missing", async () => {
  healthy = ["db1", "db3"];
  vi.useFakeTimers();
  const refused = expect(care({ restarts: true })).rejects.toThrow(
    "expected all other members of etcd to be healthy before db3 restarts its own within 30 seconds, " +
      "got: db2 not healthy, and a restart on db3 could stop all writes.",
  );
  await vi.advanceTimersByTimeAsync(40_000);
  await refused;
});

test("one that has just been started is waited for", async () => {
  healthy = ["db1", "db3"];
  vi.useFakeTimers();
  const cared = care({ restarts: true });
  await vi.advanceTimersByTimeAsync(5000);
  healthy = ["db1", "db2", "db3"];
  await vi.advanceTimersByTimeAsync(5000);
  expect((await cared).before).toBe("");
});

test("what restarts nothing asks for nobody", async () => {
  healthy = ["db1", "db3"];
  expect((await care()).before).toBe("");
});

test("a member that is not healthy itself may restart: that costs nothing", async () => {
  healthy = ["db1", "db2"];
  expect((await care({ restarts: true })).before).toBe("");
  expect(done).toEqual([]);
});

test("a member without a log joins anew: kept from starting, removed, added, told to join", async () => {
  healthy = ["db1", "db2"];
  withLog = ["db1", "db2"];
  const { before } = await care();
  expect(done).toEqual(["db3: disable", "db1: member remove 3f", "db1: member add db3"]);
  expect(before).toContain("ETCD_INITIAL_CLUSTER_STATE=existing");
  expect(before).toContain("/var/lib/pgherd/etcd-join.env");
});

test("one that was removed and not added yet is added", async () => {
  healthy = ["db1", "db2"];
  withLog = ["db1", "db2"];
  membership = [member("db1", 1), member("db2", 2)];
  await care();
  expect(done).toEqual(["db3: disable", "db1: member add db3"]);
});

test("one that was added and never started is used", async () => {
  healthy = ["db1", "db2"];
  withLog = ["db1", "db2"];
  membership = [member("db1", 1), member("db2", 2), member("", 3, false)];
  expect((await care()).before).toContain("ETCD_INITIAL_CLUSTER_STATE=existing");
  expect(done).toEqual(["db3: disable"]);
});

test("the last of a first deployment begins as the others did", async () => {
  healthy = ["db1", "db2"];
  withLog = ["db1", "db2"];
  membership = [member("db1", 1), member("db2", 2), member("db3", 3, false)];
  expect((await care({ hadData: false })).before).toContain(FIRST);
  expect(done).toEqual([]);
});

test("the first of a first deployment waits for nobody", async () => {
  healthy = [];
  withLog = [];
  const { before, after } = await care({ hadData: false });
  expect(before).toContain(FIRST);
  await after();
  expect(done).toEqual([]);
});

test("a member that is only starting is not asked, since it would not answer", async () => {
  healthy = [];
  withLog = ["db1"];
  starting = ["db1", "db2", "db3"];
  await care({ hadData: false });
  expect(asked).toEqual([]);
});

test("a member whose host cannot be reached is not healthy", async () => {
  healthy = ["db1"];
  unreachable = ["db2", "db3"];
  await care({ hadData: false });
  expect(asked).toHaveLength(1);
  expect(asked[0]).not.toContain(MEMBERS.db2);
});

test("where all hosts were reinstalled, a new cluster begins", async () => {
  healthy = [];
  withLog = [];
  expect((await care()).before).toContain(FIRST);
});

test("a log that this run has begun on another host keeps nobody from beginning too", async () => {
  healthy = [];
  withLog = [];
  await care({ host: "db1" });
  withLog = ["db1"];
  expect((await care()).before).toContain(FIRST);
});

test("a member that lost its log begins nothing anew while others have theirs and do not work", async () => {
  healthy = [];
  withLog = ["db1", "db2"];
  await expect(care()).rejects.toThrow(
    "db3: expected etcd's data in /var/lib/etcd/demo, got none, while db1, db2 still have theirs and are not healthy.",
  );
  expect(done).toEqual([]);
});

test("one that comes to a DCS that runs is told of all who are there, one at a time", async () => {
  healthy = ["db1"];
  withLog = ["db1"];
  membership = [member("db1", 1)];
  const { before } = await coming();
  expect(done).toEqual(["db3: disable", "db1: member add db3"]);
  expect(before).toContain(
    "ETCD_INITIAL_CLUSTER=db1=http://10.89.0.11:2380,db3=http://10.89.0.13:2380\nETCD_INITIAL_CLUSTER_STATE=existing",
  );
});

test("it counts for the majority once it has caught up", async () => {
  healthy = ["db1"];
  withLog = ["db1"];
  membership = [member("db1", 1)];
  const { after } = await coming();
  membership = [member("db1", 1), { ...member("db3", 3), learner: true }];
  done = [];
  vi.useFakeTimers();
  const ended = after();
  await vi.advanceTimersByTimeAsync(1000);
  await ended;
  expect(done).toEqual(["db3: promote 3f"]);
});

test("who is to leave and is away goes first, since nobody is let in beside one that is away", async () => {
  healthy = ["db1", "db2"];
  withLog = ["db1", "db2"];
  membership = [member("db1", 1), member("db2", 2), member("db9", 9)];
  const joins = { db1: MEMBERS.db1, db2: MEMBERS.db2, db9: "http://10.89.0.19:2379" };
  await coming(joins);
  expect(done).toEqual(["db3: disable", "db1: member remove 9f", "db1: member add db3"]);
});

test("one that a killed run has added, and that has not begun, makes room for this one", async () => {
  healthy = ["db1"];
  withLog = ["db1"];
  membership = [member("db1", 1), { ...member("", 9, false), learner: true }];
  await coming({ db1: MEMBERS.db1, db9: "http://10.89.0.19:2379" });
  expect(done).toEqual(["db3: disable", "db1: member remove 9f", "db1: member add db3"]);
});

test("data of one that has been taken out are set aside: with them it would never start", async () => {
  healthy = ["db1", "db2"];
  membership = [member("db1", 1), member("db2", 2)];
  expect((await care()).before).toContain("ETCD_INITIAL_CLUSTER_STATE=existing");
  expect(done).toEqual(["db3: disable", "db1: member add db3"]);
});

test("one that comes begins no DCS of its own while others have their data", async () => {
  healthy = [];
  withLog = ["db1"];
  await expect(coming()).rejects.toThrow(
    "db3: expected etcd's data in /var/lib/etcd/demo, got none, while db1 still have theirs and are not healthy.",
  );
  expect(done).toEqual([]);
});

test("where all are blank by now, a new one begins all the same", async () => {
  healthy = [];
  withLog = [];
  expect((await coming()).before).toContain(FIRST);
});

test("who is yet to come keeps nobody from a restart", async () => {
  healthy = ["db1", "db3"];
  membership = [member("db1", 1), member("db3", 3)];
  expect((await care({ restarts: true })).before).toBe("");
});

test("nothing joins while there is a stranger", async () => {
  healthy = ["db1", "db2"];
  withLog = ["db1", "db2"];
  membership.push(member("db9", 9));
  await expect(care()).rejects.toThrow(HealthError);
  expect(done).toEqual([]);
});

test("a stranger is named, with what to do", () => {
  expect(() =>
    refuseStrangers("demo", { members: MEMBERS }, [...membership, member("db9", 9)]),
  ).toThrow(
    "demo: expected etcd's members to be db1, db2, db3, got also db9 (9f, http://10.89.0.19:2380). " +
      "Each of them counts for the majority without which nothing is written.\n" +
      "If nobody needs it, on db1: sudo etcdctl member remove 9f",
  );
});

test("a member of ours that has not started yet is no stranger, another host's is one", () => {
  expect(() => refuseStrangers("demo", { members: MEMBERS }, [member("", 3, false)])).not.toThrow();
  expect(() => refuseStrangers("demo", { members: MEMBERS }, [member("", 9, false)])).toThrow(
    "got also one that has not started yet (9f, http://10.89.0.19:2380)",
  );
});
