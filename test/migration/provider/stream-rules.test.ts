import { expect, test } from "vitest";
import type { StreamRights } from "../../../src/migration/facts/standby";
import { scramVerifier } from "../../../src/operations/scram";
import { judgeStream } from "../../../src/migration/provider/stream-rules";
import type { StreamInput } from "../../../src/migration/inputs/survey";

const STREAM: StreamInput = {
  address: "10.0.0.9",
  port: 5432,
  role: "replicator",
  password: "battery-staple",
  from: { a1: "10.0.0.1", a2: "10.0.0.2" },
};

const RIGHTS: StreamRights = {
  replication: true,
  verifier: scramVerifier("battery-staple"),
  methods: { a1: "scram-sha-256", a2: "md5" },
  freeSenders: 10,
  freeSlots: 10,
  walLevel: "replica",
};

const judge = (rights: Partial<StreamRights>, reached = { a1: true, a2: true }) =>
  judgeStream("old", { ...RIGHTS, ...rights }, reached, STREAM);

test("nothing is missing where its owner has prepared everything", () => {
  expect(judge({})).toEqual([]);
});

test.each<[name: string, rights: Partial<StreamRights>, problem: RegExp]>([
  [
    "no role",
    { replication: undefined, verifier: "" },
    /Run there: SET default_transaction_read_only = off; SET password_encryption = 'scram-sha-256'; CREATE ROLE replicator LOGIN REPLICATION PASSWORD '…';/,
  ],
  [
    "a role that may not",
    { replication: false },
    /SET default_transaction_read_only = off; ALTER ROLE replicator LOGIN REPLICATION;/,
  ],
  ["another password", { verifier: scramVerifier("correct-horse") }, /found another one/],
  ["an md5 password", { verifier: "md5abc" }, /stored as scram-sha-256, found another one/],
  [
    "no line for a member",
    { methods: { a1: "scram-sha-256" } },
    /replication from a2, found no line that does.*\n {2}host replication replicator 10\.0\.0\.2\/32 scram-sha-256$/,
  ],
  ["a line that shuts one out", { methods: { a1: "reject", a2: "trust" } }, /replication from a1,/],
  [
    "too little WAL",
    { walLevel: "minimal" },
    /expected wal_level replica or logical, found minimal/,
  ],
  [
    "no free streams",
    { freeSenders: 2 },
    /expected 3 streams and 1 slot to be free, found 2 and 10/,
  ],
  ["no free slot", { freeSlots: 0 }, /found 10 and 0/],
])("%s is told with what to do", (_name, rights, problem) => {
  const found = judge(rights);
  expect(found).toHaveLength(1);
  expect(found[0]).toMatch(problem);
  expect(found[0]).toMatch(/^old: /);
  expect(found[0]).not.toContain("battery-staple");
});

test("a server that cannot be reached is told", () => {
  expect(judge({}, { a1: true, a2: false })).toEqual([
    "a2: expected old to be reached at 10.0.0.9 port 5432, found nobody there. Open its firewall, and let it listen there (listen_addresses).",
  ]);
});
