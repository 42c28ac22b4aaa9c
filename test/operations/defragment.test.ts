import { beforeEach, expect, test } from "vitest";
import type { DcsMember } from "../../src/dcs/dcs";
import type { Host } from "../../src/host/host";
import { defragment } from "../../src/operations/defragment";

const MEMBERS = {
  db1: "http://10.89.0.11:2379",
  db2: "http://10.89.0.12:2379",
  db3: "http://10.89.0.13:2379",
};
const DCS = { kind: "etcd", members: MEMBERS } as const;
type Name = keyof typeof MEMBERS;

const QUOTA = 16 * 2 ** 20;

/** Three members in memory, of which db1 leads. */
let members: { [host in Name]: DcsMember };
let done: string[];
/** Bytes that are in use. */
let used: number;

beforeEach(() => {
  used = 40960;
  done = [];
  const full = { healthy: true, databaseBytes: QUOTA + 4096, quotaBytes: QUOTA };
  const one = (leader: boolean) => ({ ...full, leader, usedBytes: used, alarms: ["NOSPACE"] });
  members = { db1: one(true), db2: one(false), db3: one(false) };
});

const hosts = {
  progress() {},
  host: (name: string) =>
    ({
      observe: async () => members[name as Name],
      async change(action: string, script: string) {
        done.push(`${name}: ${action}`);
        if (script.endsWith("defrag"))
          members[name as Name] = { ...members[name as Name], databaseBytes: used };
      },
    }) as unknown as Host,
};

test("members are defragmented one after the other, the leader last, and then the alarm is taken back", async () => {
  expect(await defragment(hosts, DCS)).toEqual({
    members: Object.keys(MEMBERS).map((host) => ({ host, before: QUOTA + 4096, after: used })),
    alarms: ["NOSPACE"],
  });
  expect(done).toEqual([
    "db1: compacting etcd's history",
    "db2: defragmenting etcd",
    "db3: defragmenting etcd",
    "db1: defragmenting etcd",
    "db1: taking etcd's alarm back",
  ]);
});

test("nothing is done while a member is away: the others hold the majority", async () => {
  members.db3 = { ...members.db3, healthy: false };
  await expect(defragment(hosts, DCS)).rejects.toThrow(
    "expected all members of etcd to be healthy, db3 is not",
  );
  expect(done).toEqual([]);
});

test("the alarm of a database that is still full is not taken back, and the quota is named", async () => {
  used = QUOTA + 1;
  await expect(defragment(hosts, DCS)).rejects.toThrow(
    /still full on db1 .*\nRaise pgherd:cluster\.dcs\.quota/,
  );
  expect(done).not.toContain("db1: taking etcd's alarm back");
});

test("where there is no alarm none is taken back", async () => {
  for (const name of Object.keys(MEMBERS) as Name[])
    members[name] = { ...members[name], alarms: [] };
  expect((await defragment(hosts, DCS)).alarms).toEqual([]);
  expect(done).not.toContain("db1: taking etcd's alarm back");
});
