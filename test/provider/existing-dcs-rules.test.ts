import { expect, test } from "vitest";
import type { Standing } from "../../src/dcs/existing";
import { judgeStanding, warnOfStanding, type Seen } from "../../src/provider/existing-dcs-rules";
import type { ExistingDcsInputs } from "../../src/resources/inputs/existing-dcs";

const INPUTS: ExistingDcsInputs = {
  cluster: "demo",
  endpoints: ["https://10.0.0.1:2379", "https://10.0.0.2:2379"],
  existing: { prefix: "/service" },
  hosts: ["db1", "db2"],
  answered: ["db1", "db2"],
  files: {},
  ttl: 30,
  leastVersion: "3.4.0",
  data: { dataDirectory: "/data", binDirectory: "/bin" },
};

const WELL: Standing = {
  answering: INPUTS.endpoints,
  said: "",
  version: "3.5.16",
  may: true,
  mayMore: false,
  leastTtl: 1,
};

const DATABASE = "7713917813253148901";
const OTHER = "7110000000000000001";

/** What db1 and db2 see, the same but for what is told. */
function seen(standing: Partial<Standing>, own: Partial<Seen> = {}): Seen[] {
  return ["db1", "db2"].map((host) => ({ host, standing: { ...WELL, ...standing }, ...own }));
}

function judged(
  standing: Partial<Standing>,
  own?: Partial<Seen>,
  inputs = INPUTS,
  same = false,
): string[] {
  return judgeStanding(seen(standing, own), inputs, same);
}

test("blank members and a DCS that knows nothing of the cluster go together", () => {
  expect(judged({})).toEqual([]);
  expect(judged({ systemIdentifier: "" })).toEqual([]);
  expect(warnOfStanding(seen({}), INPUTS)).toEqual([]);
});

test("so do members with the database that the DCS knows", () => {
  expect(judged({ systemIdentifier: DATABASE }, { identifier: DATABASE })).toEqual([]);
  // One is blank yet.
  const [db1, db2] = seen({ systemIdentifier: DATABASE }) as [Seen, Seen];
  expect(judgeStanding([{ ...db1, identifier: DATABASE }, db2], INPUTS, false)).toEqual([]);
});

test("another cluster of the same name is told, and whose database it has", () => {
  const [problem, ...others] = judged({ systemIdentifier: OTHER });
  expect(problem).toContain(
    `found "demo" under /service/demo, with the database ${OTHER}, which no member has.`,
  );
  expect(others).toEqual([]);
  expect(judged({ systemIdentifier: OTHER }, { identifier: DATABASE })[0]).toContain(
    "which is not that of db1, db2",
  );
});

test("a running cluster is not taken for a new one in a DCS that does not know it", () => {
  expect(judged({}, { identifier: DATABASE })[0]).toContain(
    `db1, db2: expected etcd to know under /service/demo of the database ${DATABASE}`,
  );
  // Nobody could ask: that is told, and nothing is concluded from it.
  expect(judged({ answering: [], said: "refused" }, { identifier: DATABASE })).toHaveLength(1);
  // Where a server is migrated, the DCS knows nothing yet.
  expect(judged({}, { identifier: DATABASE }, { ...INPUTS, data: undefined })).toEqual([]);
});

test("a DCS that has lost all that it knew of the cluster is filled again", () => {
  expect(judged({}, { identifier: DATABASE }, INPUTS, true)).toEqual([]);
});

test("a database that is being made, or that nobody can read yet, is no other one", () => {
  expect(judged({ systemIdentifier: "" }, { identifier: DATABASE })).toEqual([]);
  expect(judged({ systemIdentifier: OTHER }, { identifier: "unknown" })).toEqual([]);
});

test("hosts that get the same answer, or none, are told of together", () => {
  const said = `https://10.0.0.1:2379: curl: (7)\n${"x".repeat(500)}`;
  const [problem, ...others] = judged({ answering: [], said }).map((one) => one.slice(0, 90));
  expect(problem).toContain("db1, db2: expected an answer of etcd's for a majority, got https://");
  expect(others).toEqual([]);
});

test("rights that lack are told with what was answered, and rights that go further are warned of", () => {
  expect(judged({ may: "permission denied" })).toEqual([
    "db1, db2: expected etcd to let in to all below /service/demo, got permission denied. " +
      "Give it these rights: docs/existing-dcs.md.",
  ]);
  expect(warnOfStanding(seen({ mayMore: true }), INPUTS)[0]).toContain(
    "etcd lets in to more than /service/demo",
  );
});

test("an endpoint that is away while another one answers is a warning", () => {
  expect(warnOfStanding(seen({ answering: ["https://10.0.0.1:2379"] }), INPUTS)).toEqual([
    "db1, db2: etcd does not answer at https://10.0.0.2:2379; other endpoints do.",
  ]);
});

test("a version that is too old is refused, one that is not told is not", () => {
  expect(judged({ version: "3.3.25" })[0]).toContain("expected etcd 3.4.0 or later, found 3.3.25");
  expect(judged({ version: undefined })).toEqual([]);
});

test("a lease that the DCS does not give, or does not tell of, is refused where nobody would ever lead", () => {
  const consul: ExistingDcsInputs = { ...INPUTS, kind: "consul", ttl: 5, leastVersion: "1.8.0" };
  const standing = { version: "1.8.7", shorterBy: "session_ttl_min on all its servers" };
  expect(judged({ ...standing, leastTtl: 20 }, {}, consul)[0]).toContain(
    "expected a ttl of 20 seconds or more, got 5: consul gives no shorter leases",
  );
  expect(judged({ ...standing, leastTtl: undefined }, {}, consul)[0]).toContain("does not tell");
  expect(judged({ ...standing, leastTtl: 4 }, {}, consul)).toEqual([]);
  expect(judged({ ...standing, leastTtl: undefined }, {}, { ...consul, ttl: 20 })).toEqual([]);
});
