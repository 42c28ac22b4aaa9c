import { stripVTControlCharacters } from "node:util";
import { expect, test } from "vitest";
import { renderCreated, renderForks } from "../../src/cli/fork-view";
import type { Fork } from "../../src/facts/forks";

const NOW = 1763766000;

const FORK: Fork = {
  name: "try-migration",
  host: "db3",
  port: 5433,
  state: "running",
  reason: "",
  memory: 512 * 2 ** 20,
  disk: 10 * 2 ** 30,
  ttl: 86400,
  begun: NOW,
  ends: NOW + 86400,
  copied: 93,
  timeline: 3,
  own: 34 * 2 ** 20,
};

function lines(text: string): string[] {
  return stripVTControlCharacters(text)
    .split("\n")
    .map((line) => line.trimEnd());
}

test("a new fork is told with how to use it and when it ends, and without its password", () => {
  const client = { user: "app", database: "app" };
  expect(lines(renderCreated(FORK, "postgresql://10.89.0.13:5433/", 2.31, client))).toEqual([
    "try-migration takes connections after 2.3 s",
    "",
    "  on        db3, port 5433, timeline 3; copied in 93 ms",
    "  connect   pgherd fork psql try-migration",
    "            postgresql://app@10.89.0.13:5433/app",
    "  password  pgherd fork password try-migration    of every user, on this fork only",
    "  limits    512 MB of memory, 10 GB of the disk",
    "  ends      2025-11-22 23:00 UTC, or by: pgherd fork drop try-migration",
    "",
  ]);
});

test("forks are listed on 80 columns, with the reason why one was stopped", () => {
  const stopped: Fork = {
    ...FORK,
    name: "nightly",
    state: "stopped",
    reason: "it takes 11 GB of the disk, more than 10 GB",
    ends: 0,
  };
  const shown = lines(renderForks([FORK, stopped], NOW));
  expect(shown[1]).toBe("try-migration  db3   5433  running  3   34 MB  10 GB  24 h");
  expect(shown.join("\n")).toContain(
    "nightly: stopped, since it takes 11 GB of the disk, more than 10 GB.",
  );
  expect(Math.max(...shown.map((line) => line.length))).toBeLessThanOrEqual(80);
});

test("without forks it is said how to make one", () => {
  expect(renderForks([], NOW)).toBe("There are no forks. Make one: pgherd fork create NAME\n");
});
