import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, mkdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { historyProbe, replaceHistory, trueHistory } from "../../src/operations/true-history";

const lines = (...all: string[]) => all.map((line) => `${line}\n`).join("");
const AT_NOON = "before 2026-11-29 18:20:07.203105+00";

test.each([
  [
    "a restore to before a failover left the timeline from before it",
    lines("1\t0/C0000A0\tno recovery target specified", `2\t0/B0001C8\t${AT_NOON}`),
    lines(`1\t0/B0001C8\t${AT_NOON}`),
  ],
  [
    "what came before that stays",
    lines("1\t0/5000060\tone", "2\t0/C0000A0\ttwo", "4\t1/2\tthree", `5\t0/B0001C8\t${AT_NOON}`),
    lines("1\t0/5000060\tone", `2\t0/B0001C8\t${AT_NOON}`),
  ],
  [
    "where the next one begins, nothing of it has come yet",
    lines("1\t0/C0000A0\tone", "2\t0/C0000A0\ttwo"),
    lines("1\t0/C0000A0\ttwo"),
  ],
  [
    "positions are numbers, and PostgreSQL 18 fills them up",
    lines("1\t0/FF000000\tone", `2\tA/00000028\t${AT_NOON}`, `3\t1A/00000028\t${AT_NOON}`),
    lines("1\t0/FF000000\tone", `2\tA/00000028\t${AT_NOON}`, `3\t1A/00000028\t${AT_NOON}`),
  ],
])("a restored database's history is what it was: %s", (_what, found, history) => {
  expect(trueHistory(found)).toBe(history);
  expect(trueHistory(history)).toBe(history);
});

test("the newest history of a data directory is read and replaced, and nothing else is left", () => {
  const data = mkdtempSync(join(tmpdir(), "pgherd-"));
  const wal = join(data, "pg_wal");
  mkdirSync(wal);
  const sh = (script: string) =>
    execFileSync("sh", ["-c", script.replaceAll("owning postgres", "owning root")], {
      encoding: "utf8",
    });
  const read = () => historyProbe(data).parse(sh(historyProbe(data).script));
  expect(read()).toBeUndefined();
  writeFileSync(join(wal, "00000002.history"), "1\t0/1\tone\n");
  writeFileSync(join(wal, "0000000A.history"), "1\t0/1\tone\n2\t0/2\ttwo's `end` $1\n");
  const found = read();
  expect(found).toBe("1\t0/1\tone\n2\t0/2\ttwo's `end` $1\n");
  sh(replaceHistory(data, "1\t0/2\ttwo's `end` $1\n"));
  expect(read()).toBe("1\t0/2\ttwo's `end` $1\n");
  expect(readFileSync(join(wal, "00000002.history"), "utf8")).toBe("1\t0/1\tone\n");
  expect(readdirSync(wal)).toEqual(["00000002.history", "0000000A.history"]);
});
