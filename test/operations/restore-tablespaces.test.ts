import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { locationsProbe, placeProbe } from "../../src/facts/tablespaces";
import {
  movesOf,
  placeProblems,
  putPlacesBack,
  setPlacesAside,
  type WantedPlace,
} from "../../src/operations/restore-tablespaces";
import { asRoot, ground, rootShell } from "../users";

// What becomes of the places of tablespaces, with the real scripts.

const hasPostgres = spawnSync("id", ["-u", "postgres"]).status === 0;
const ASIDE = "before-restore-20261121T143000Z";
const FAILED = "failed-restore-20261121T150000Z";
const VERSION = "PG_17_202406281";

function own(...paths: string[]) {
  spawnSync("chown", ["-R", "postgres:postgres", ...paths]);
}

describe.runIf(asRoot && hasPostgres).each(["root", "postgres"])("in a directory of %s", (who) => {
  /** A tablespace with a file of the present data. */
  function scene() {
    const { root } = ground();
    const parent = join(root, "disk");
    mkdirSync(parent, { mode: 0o755 });
    if (who === "postgres") own(parent);
    const path = join(parent, "figures");
    const fill = (text: string) => {
      mkdirSync(join(path, VERSION), { recursive: true, mode: 0o700 });
      writeFileSync(join(path, VERSION, "rows"), text);
      own(path);
    };
    const rows = (at = path) => readFileSync(join(at, VERSION, "rows"), "utf8");
    return { root, parent, path, fill, rows };
  }
  const run = (script: string) => {
    const { code, stdout, stderr } = rootShell(`set -e\n${script}`);
    expect([code, stderr]).toEqual([0, ""]);
    return stdout.split("\n").filter(Boolean);
  };

  test("what is there is kept beside an empty place, and is put back with the restored kept", () => {
    const { path, parent, fill, rows } = scene();
    fill("present");
    const made = join(parent, "new place");
    const moves = { aside: [path], made: [made] };
    run(setPlacesAside(moves, ASIDE));
    run(setPlacesAside(moves, ASIDE));
    expect(rows(`${path}.${ASIDE}`)).toBe("present");
    for (const one of [path, made]) {
      expect(spawnSync("stat", ["-c", "%U %a", one], { encoding: "utf8" }).stdout).toBe(
        "postgres 700\n",
      );
    }
    fill("restored");
    expect(run(putPlacesBack(moves, ASIDE, FAILED, 0))).toEqual([`${path}.${FAILED}`]);
    expect([rows(), rows(`${path}.${FAILED}`)]).toEqual(["present", "restored"]);
    expect(existsSync(made)).toBe(false);
    // It may be run again, with another time.
    expect(run(putPlacesBack(moves, ASIDE, `${FAILED}2`, 0))).toEqual([]);
    expect(rows()).toBe("present");
  });

  test("what Patroni has moved away when it gave up is kept by its own name", () => {
    const { path, fill, rows } = scene();
    fill("present");
    const moves = { aside: [path], made: [] };
    run(setPlacesAside(moves, ASIDE));
    fill("restored");
    spawnSync("mv", [path, `${path}.failed`]);
    expect(run(putPlacesBack(moves, ASIDE, FAILED, 0))).toEqual([`${path}.${FAILED}`]);
    expect([rows(), rows(`${path}.${FAILED}`)]).toEqual(["present", "restored"]);
  });

  test("a place is looked at through links, and as it is", () => {
    const { root, parent, path, fill } = scene();
    const look = (asked: string) => {
      const { script, parse } = placeProbe(asked);
      const { code, stdout, stderr } = rootShell(`set -e\n${script}`);
      expect([code, stderr]).toEqual([0, ""]);
      return parse(stdout);
    };
    expect(look(path)).toMatchObject({ path, kind: "absent", holds: [], beside: "" });
    fill("present");
    symlinkSync(path, join(root, "link"));
    expect(look(join(root, "link"))).toMatchObject({
      ...{ path, kind: "directory", owner: "postgres", mounted: false, holds: [VERSION] },
      ...{ beside: "", fileSystem: expect.stringMatching(/^\//) },
    });
    expect(look(join(parent, "not/there")).beside).toBe(`there is no directory ${parent}/not`);
    expect(look("/proc/sys").mounted || look("/proc").mounted).toBe(true);
  });

  test("the places of present tablespaces are those that the data directory's links name", () => {
    const { parent, path } = scene();
    const data = join(parent, "main");
    const probe = locationsProbe(data);
    expect(probe.parse(rootShell(probe.script).stdout)).toEqual([]);
    mkdirSync(join(data, "pg_tblspc"), { recursive: true });
    symlinkSync(path, join(data, "pg_tblspc/16385"));
    symlinkSync("/srv/with\nbreak", join(data, "pg_tblspc/16386"));
    own(data);
    expect(probe.parse(rootShell(probe.script).stdout).sort()).toEqual(
      [path, "/srv/with\nbreak"].sort(),
    );
  });
});

const place = (path: string, more: Partial<WantedPlace> = {}): WantedPlace => ({
  ...{ path, kind: "directory", owner: "postgres", mounted: false, holds: [VERSION], beside: "" },
  ...{ fileSystem: "/", free: 2 ** 30, size: 1, tablespace: "figures" },
  ...more,
});

test.each([
  [{ owner: "root" }, "/srv/figures: expected a directory of the user postgres, found one of root"],
  [{ path: "/data/main/in" }, "apart from the data directory /data/main"],
  [{ path: "/data" }, "apart from the data directory /data/main"],
  [{ mounted: true }, "--tablespace figures:/srv/figures/restored"],
  [{ kind: "other" as const }, "expected a directory, found something else"],
  [{ holds: [VERSION, "PG_15_202209061"] }, "but a tablespace of PostgreSQL 17, found PG_15_"],
  [{ beside: "there is no directory /srv" }, "but there is no directory /srv"],
  [{ path: "/srv/shop/in" }, "expected no other tablespace in /srv/shop"],
  [{ owner: "root", tablespace: undefined }, "Drop that tablespace first"],
])("a place that cannot be emptied is refused: %j", (more, problem) => {
  const all = [place("/srv/figures", more), place("/srv/shop", { tablespace: "shop" })];
  const problems = placeProblems("db1", "/data/main", 17, all);
  expect(problems).toEqual([expect.stringContaining(problem)]);
  expect(problems[0]).toMatch(/^db1: /);
});

test("places that are there are set aside, and the others made", () => {
  const all = [place("/srv/a"), place("/srv/b", { kind: "absent", holds: [] })];
  expect(placeProblems("db1", "/data/main", 17, all)).toEqual([]);
  expect(movesOf(all)).toEqual({ aside: ["/srv/a"], made: ["/srv/b"] });
});
