import { expect, test } from "vitest";
import { brokenPromises, check } from "../../src/lab/chaos/checker";
import type { Final, History, Probe, Row, Write } from "../../src/lab/chaos/history";

const MEMBERS = ["db1", "db2", "db3"];

function write(seq: number, more: Partial<Write> = {}): Write {
  const begun = seq * 0.1;
  const ok = { outcome: "ok", member: "db1", timeline: 1 } as const;
  return { client: 0, seq, ...ok, begun, ended: begun + 0.05, ...more };
}

/** Ten acknowledged writes that are on all members. */
const WRITES = Array.from({ length: 10 }, (_, i) => write(i + 1));

function everywhere(rows: readonly Row[]): Final {
  return {
    leader: "db1",
    tables: Object.fromEntries(MEMBERS.map((member) => [member, rows])),
  };
}

const SOUND: History = {
  writes: WRITES,
  seen: WRITES.map(({ client, seq, ended }) => ({ client, seq, at: ended })),
  probes: WRITES.map(({ begun, ended }) => ({ member: "db1", timeline: 1, begun, ended })),
  faults: [],
  final: everywhere(WRITES),
};

const DURABLE = { durable: true };

function judged(change: Partial<History>) {
  const verdict = check({ ...SOUND, ...change });
  return { verdict, broken: brokenPromises(verdict, DURABLE) };
}

test("a run in which nothing went wrong keeps all promises", () => {
  const { verdict, broken } = judged({});
  expect(broken).toEqual([]);
  expect(verdict).toMatchObject({ acknowledged: 10, failed: 0, unknown: 0, interruptions: [] });
});

test("a run without any acknowledged write proves nothing", () => {
  const { broken } = judged({ writes: [], seen: [], final: everywhere([]) });
  expect(broken).toEqual(["no write was ever acknowledged: there is nothing to judge"]);
});

test("an acknowledged row that is gone is lost, and vanished where a reader had seen it", () => {
  const { verdict, broken } = judged({ final: everywhere(WRITES.slice(1)) });
  expect(verdict.lost).toEqual(["0/1"]);
  expect(verdict.vanished).toEqual(["0/1"]);
  expect(broken).toEqual(["1 rows were acknowledged and are lost, e.g. 0/1"]);
});

test("what asynchronous replication loses is told, and breaks no promise", () => {
  const { verdict } = judged({ final: everywhere(WRITES.slice(1)) });
  expect(brokenPromises(verdict, { durable: false })).toEqual([]);
});

test("an unknown row may be there or not", () => {
  const writes = [...WRITES.slice(0, 9), write(10, { outcome: "unknown" })];
  expect(judged({ writes }).verdict).toMatchObject({ unknown: 1, recovered: 1, phantom: [] });
  const { verdict, broken } = judged({ writes, final: everywhere(WRITES.slice(0, 9)), seen: [] });
  expect(verdict).toMatchObject({ unknown: 1, recovered: 0, lost: [] });
  expect(broken).toEqual([]);
});

test("a row that the server had refused and that is there is a phantom", () => {
  const writes = [...WRITES.slice(0, 9), write(10, { outcome: "fail" })];
  expect(judged({ writes }).broken).toEqual(["1 rows are there that cannot be, e.g. 0/10"]);
});

test("a row that nobody has written is a phantom, on a replica too", () => {
  const final = everywhere(WRITES);
  const tables = { ...final.tables, db3: [...WRITES, write(99)] };
  const { verdict, broken } = judged({ final: { ...final, tables } });
  expect(verdict.phantom).toEqual(["0/99"]);
  expect(broken).toContain("db3 has another table than the leader");
});

test("a row that is there twice is a duplicate", () => {
  const { broken } = judged({ final: everywhere([...WRITES, write(10)]) });
  expect(broken).toEqual(["1 rows are there twice, e.g. 0/10"]);
});

test("rows of one client that changed places are out of order, those of two clients are not", () => {
  const swapped = [write(2), write(1), ...WRITES.slice(2)];
  expect(judged({ final: everywhere(swapped) }).broken).toEqual([
    "1 rows are out of order, e.g. 0/1",
  ]);
  const other = { ...write(1), client: 1 };
  const both = [...WRITES, other];
  expect(judged({ writes: both, final: everywhere(both) }).broken).toEqual([]);
});

test("a row whose client had given up may come late", () => {
  const swapped = [write(2), write(1), ...WRITES.slice(2)];
  const writes = [write(1, { outcome: "unknown" }), ...WRITES.slice(1)];
  expect(judged({ writes, final: everywhere(swapped) }).broken).toEqual([]);
});

test("a replica that lacks a row diverges", () => {
  const final = everywhere(WRITES);
  const tables = { ...final.tables, db2: WRITES.slice(0, 9) };
  expect(judged({ final: { ...final, tables } }).broken).toEqual([
    "db2 has another table than the leader",
  ]);
});

test("two members that take clients' writes at the same time are two primaries", () => {
  const stale = [write(11, { member: "db1" }), write(14, { member: "db1" })];
  const fresh = [12, 13, 15].map((seq) => write(seq, { member: "db2", timeline: 2 }));
  const writes = [...WRITES, ...stale, ...fresh];
  const { verdict, broken } = judged({ writes, final: everywhere(sorted(writes)) });
  // From the end of db2's first write to the beginning of db1's last.
  expect(verdict.twoPrimaries.entryPoint).toEqual([
    { begun: expect.closeTo(1.25) as number, ended: expect.closeTo(1.4) as number },
  ]);
  expect(broken).toEqual(["two primaries through the entry point for 150 ms"]);
});

test("two members that take writes asked by themselves are told, whatever the clients met", () => {
  const probe = (member: string, timeline: number, begun: number): Probe => {
    return { member, timeline, begun, ended: begun + 0.01 };
  };
  const probes = [probe("db1", 1, 1), probe("db2", 2, 2), probe("db1", 1, 3), probe("db2", 2, 4)];
  const { verdict, broken } = judged({ probes });
  expect(verdict.twoPrimaries.direct).toHaveLength(1);
  expect(broken).toEqual([]);
});

test("a lead that goes over and comes back is one primary at each time", () => {
  const writes = [
    ...[1, 2].map((seq) => write(seq)),
    ...[3, 4].map((seq) => write(seq, { member: "db2", timeline: 2 })),
    ...[5, 6].map((seq) => write(seq, { member: "db1", timeline: 3 })),
  ];
  const { verdict } = judged({ writes, seen: [], final: everywhere(writes) });
  expect(verdict.twoPrimaries.entryPoint).toEqual([]);
  expect(verdict.timelines).toEqual([1, 2, 3]);
});

test("an answer that was late is no second primary", () => {
  const late = write(11, { begun: 1.1, ended: 1.9 });
  const next = write(12, { begun: 1.3, ended: 1.35, member: "db2", timeline: 2 });
  const writes = [...WRITES, late, next];
  const { verdict } = judged({ writes, final: everywhere(writes) });
  expect(verdict.twoPrimaries.entryPoint).toEqual([]);
});

test("interruptions last from one acknowledged write to the next, the longest first", () => {
  const writes = [write(1), write(30), write(31, { outcome: "unknown" }), write(100)];
  const { verdict } = judged({ writes, seen: [], final: everywhere(writes) });
  const lengths = verdict.interruptions.map(({ begun, ended }) => ended - begun);
  expect(lengths).toEqual([expect.closeTo(7), expect.closeTo(2.9)]);
});

function sorted(writes: readonly Write[]): Write[] {
  return [...writes].sort((a, b) => a.seq - b.seq);
}
