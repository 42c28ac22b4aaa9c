import { appendFileSync, mkdirSync, mkdtempSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { renderHistory } from "../../src/cli/history";
import { formerRecordFile, recordFile } from "../../src/cli/serve-options";
import { deeds, recorded, requireRecord } from "../../src/cli/record";
import { passwordOf } from "../../src/cli/users";
import { UsageError } from "../../src/errors";
import { leaderChangesProbe, startedProbe } from "../../src/facts/history";
import { labPaths } from "../../src/lab/paths";
import { Refusal } from "../../src/cluster/cluster";
import { projectRoot } from "../../src/cli/project";

vi.mock("../../src/cli/project", { spy: true });

beforeEach(() => vi.stubEnv("XDG_STATE_HOME", mkdtempSync(join(tmpdir(), "pgherd-record-"))));
afterEach(() => vi.unstubAllEnvs());

test("what a verb has done is recorded with who did it, and what was refused is not", async () => {
  await recorded("lab", "switchover --to db2", async () => {});
  const failing = recorded("lab", "restart db1", async () => {
    throw new Error("db1: no way to it\nwith details");
  });
  await expect(failing).rejects.toThrow("no way to it");
  for (const error of [new Refusal("A restart", ["no"]), new UsageError("--to: what?")]) {
    const refused = recorded("lab", "restart db2", () => Promise.reject(error));
    await expect(refused).rejects.toThrow();
  }
  expect(deeds("lab")).toMatchObject([
    { by: expect.stringMatching(/^\S+@\S+$/), what: "switchover --to db2", outcome: "done" },
    { what: "restart db1", outcome: "failed: db1: no way to it" },
  ]);
  expect(statSync(requireRecord("lab")).mode & 0o777).toBe(0o600);
});

test("another project's stack of the same name has a record of its own, and what was written for both is still read", async () => {
  mkdirSync(dirname(requireRecord("lab")), { recursive: true });
  const old = { at: "2026-11-21T00:00:00.000Z", by: "anna@desk", outcome: "done", seconds: 1 };
  writeFileSync(formerRecordFile("lab", "verbs"), `${JSON.stringify({ ...old, what: "pause" })}\n`);
  await recorded("lab", "resume", async () => {});
  expect(deeds("lab").map(({ what }) => what)).toEqual(["pause", "resume"]);
  vi.mocked(projectRoot).mockReturnValue(tmpdir());
  expect(deeds("lab").map(({ what }) => what)).toEqual(["pause"]);
  await recorded("lab", "failover", async () => {});
  vi.mocked(projectRoot).mockReset();
  expect(deeds("lab").map(({ what }) => what)).toEqual(["pause", "resume"]);
});

test("each lab has a record of its own, which lies in the lab's folder and goes with it", async () => {
  mkdirSync(dirname(formerRecordFile("lab", "verbs")), { recursive: true });
  const old = { at: "2026-11-21T00:00:00.000Z", by: "anna@desk", outcome: "done", seconds: 1 };
  writeFileSync(formerRecordFile("lab", "verbs"), `${JSON.stringify({ ...old, what: "pause" })}\n`);
  vi.stubEnv("PGHERD_LAB", "one");
  await recorded("lab", "failover", async () => {});
  expect(deeds("lab").map(({ what }) => what)).toEqual(["failover"]);
  expect(requireRecord("lab")).toBe(recordFile("lab", "verbs", "one"));
  expect(requireRecord("lab").startsWith(`${labPaths("one").dir}/`)).toBe(true);
  vi.stubEnv("PGHERD_LAB", "two");
  expect(deeds("lab")).toEqual([]);
});

test("a line that was cut off keeps nobody from reading the others", async () => {
  await recorded("lab", "pause", async () => {});
  appendFileSync(requireRecord("lab"), '{"at":"2026-');
  expect(deeds("lab").map(({ what }) => what)).toEqual(["pause"]);
});

test("who led is read from Patroni's history, also where it does not know when", () => {
  const lines = [
    [1, 100663296, "no recovery target specified"],
    [2, 4395630592, "no recovery target specified", "2026-11-22T02:00:00.123456+01:00", "db2"],
  ];
  expect(leaderChangesProbe("10.89.0.11:8008").parse(JSON.stringify(lines))).toEqual([
    { timeline: 2, lsn: "0/6000000", at: undefined, leader: undefined },
    { timeline: 3, lsn: "1/6000000", at: "2026-11-22T01:00:00.123Z", leader: "db2" },
  ]);
});

test("a member that does not answer is not one without a history", () => {
  expect(leaderChangesProbe("10.89.0.11:8008").parse("")).toBeUndefined();
  expect(startedProbe("10.89.0.11:8008").parse("")).toBeUndefined();
  expect(() => leaderChangesProbe("10.89.0.11:8008").parse("<html>")).toThrow(
    "expected its history",
  );
});

test("the start of a member's server is what Patroni tells", () => {
  const answer = '{"state":"running","postmaster_start_time":"2026-11-22 02:00:00.123456+00:00"}';
  expect(startedProbe("10.89.0.11:8008").parse(answer)).toBe("2026-11-22T02:00:00.123Z");
  expect(startedProbe("10.89.0.11:8008").parse('{"state":"stopped"}')).toBeUndefined();
});

test("a history fits 80 columns", () => {
  const shown = stripVTControlCharacters(
    renderHistory([
      { source: "patroni", text: "db1 takes the lead: timeline 2 begins at 0/6000000" },
      {
        at: "2026-11-22T02:00:00.123Z",
        source: "verb",
        text: `anna@desk: ${"word ".repeat(30)}end`,
      },
    ]),
  );
  expect(shown).toMatch(/^time not known {7}db1 takes the lead/);
  expect(shown).toContain("\n2026-11-22 02:00:00  anna@desk: word");
  expect(shown.split("\n").filter((line) => line.length > 80)).toEqual([]);
});

test("the password of a user is found in the state by its own name", () => {
  const random = "random:index/randomPassword:RandomPassword";
  const urn = (name: string) =>
    `urn:pulumi:lab::pgherd::pgherd:component:Passwords$${random}::${name}`;
  const resources = [
    "demo-passwords-user-my_app",
    "demo-passwords-user-app",
    "demo-passwords-rewind",
  ].map((name) => ({ urn: urn(name), type: random }));
  const state = JSON.stringify({ version: 3, deployment: { resources } });
  expect(passwordOf("app", state)).toBe(urn("demo-passwords-user-app"));
  expect(passwordOf("rewind", state)).toBeUndefined();
  expect(passwordOf("app", JSON.stringify({ version: 3, deployment: {} }))).toBeUndefined();
});
