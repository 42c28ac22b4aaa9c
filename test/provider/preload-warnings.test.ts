import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import { preloadsProbe, type Preloads } from "../../src/facts/preload";
import type { Context } from "../../src/provider/context";
import { notPreloaded, warnOfPreloads } from "../../src/provider/preload-warnings";
import type { TrialInput } from "../../src/resources/inputs/preflight";

const TRIAL: TrialInput = {
  ...{ version: 17, dataDirectory: "/data", settings: {}, hba: [] },
  extensions: ["pg_stat_kcache", "pg_stat_statements", "pg_trgm"],
};
const says = "pg_stat_kcache must be loaded via shared_preload_libraries";
const KCACHE = { extension: "pg_stat_kcache", library: "pg_stat_kcache", says };
const DB1 = { host: "db1", there: TRIAL.extensions, preloaded: [KCACHE] };

/** Of the machine that tests; the script itself is the same for all. */
const VERSION = [18, 17, 16, 15, 14, 13].find((one) =>
  existsSync(`/usr/lib/postgresql/${one}/lib/pg_stat_statements.so`),
);

test.runIf(VERSION !== undefined)("a library itself is asked whether it must be preloaded", () => {
  const asked = ["pg_stat_statements", "pg_prewarm", "plpgsql", "nosuch", "x'y"];
  const { script, parse } = preloadsProbe(VERSION ?? 0, asked);
  const ran = spawnSync("sh", ["-eu"], { input: script, encoding: "utf8" });
  expect(ran).toMatchObject({ stderr: "", status: 0 });
  const { there, preloaded } = parse(ran.stdout);
  expect(there).toEqual(["pg_stat_statements", "pg_prewarm", "plpgsql"]);
  // pg_prewarm looks whether it is, and works otherwise too.
  expect(preloaded).toEqual([
    {
      ...{ extension: "pg_stat_statements", library: "pg_stat_statements" },
      says: expect.stringMatching(/^pg_stat_statements must be loaded via .?shared_preload_lib/),
    },
  ]);
});

test("an extension whose library says that it must be preloaded is told where it is not", () => {
  const told = notPreloaded(TRIAL, [{ ...DB1, there: [], preloaded: [] }, DB1]);
  expect(told.pg_stat_kcache).toBe(
    "pgherd:cluster.postgresql.databases: the extension pg_stat_kcache may do nothing, or not all of it: its library on db1 says " +
      `"${says}". Add pg_stat_kcache to postgresql.parameters.shared_preload_libraries, which restarts the members one by one.`,
  );
  expect(Object.keys(told)).toEqual(["pg_stat_kcache"]);
  for (const value of [
    "pg_stat_kcache",
    'auto_explain, "pg_stat_kcache"',
    "$libdir/pg_stat_kcache",
    "/opt/pg_stat_kcache.so",
  ])
    expect(
      notPreloaded({ ...TRIAL, settings: { shared_preload_libraries: value } }, [DB1]),
    ).toEqual({});
  const versioned = { ...DB1, preloaded: [{ ...KCACHE, library: "pg_stat_kcache-2.3" }] };
  expect(
    notPreloaded({ ...TRIAL, settings: { shared_preload_libraries: "pg_stat_kcache" } }, [
      versioned,
    ]),
  ).toEqual({});
});

test("where no host has an extension yet, its documents are asked, and a server that is migrated may preload it", () => {
  const told = notPreloaded({ ...TRIAL, dataComes: true }, []);
  expect(Object.keys(told)).toEqual(["pg_stat_statements"]);
  expect(told.pg_stat_statements).toContain("the extension pg_stat_statements will not work");
  expect(told.pg_stat_statements).toContain(
    "unless the server that the data comes from has it there",
  );
});

test("it is told once in a run, and not beside an error of the same extension", async () => {
  const warned: string[] = [];
  const context = {
    host: () => ({ observe: async () => DB1 as Preloads }),
    told: new Set<string>(),
    warn: (_urn: string, message: string) => void warned.push(message),
  } as unknown as Context;
  const tell = (refused: string[]) => warnOfPreloads(context, "urn", TRIAL, ["db1"], refused);
  await tell([
    "db1: expected PostgreSQL to create the extension pg_stat_kcache in the database app, it refuses: x.",
  ]);
  expect(warned).toEqual([]);
  await tell([]);
  await tell([]);
  expect(warned).toHaveLength(1);
  await warnOfPreloads(context, "urn", { ...TRIAL, extensions: [] }, ["db1"], []);
  await warnOfPreloads(context, "urn", null, ["db1"], []);
  expect(warned).toHaveLength(1);
});
