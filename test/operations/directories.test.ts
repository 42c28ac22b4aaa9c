import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  holdsAnything,
  moveBack,
  moveBeside,
  moveBesideWithTime,
  removeTree,
} from "../../src/operations/directories";
import { asRoot, give, ground, LESSER, rights, rootShell } from "../users";

/** A data directory of the lesser user's: in one of theirs, or in one of root's. */
function data(where: "lesser" | "root") {
  const at = ground();
  const path = join(at[where], "main");
  mkdirSync(path, 0o700);
  writeFileSync(join(path, "PG_VERSION"), "17\n");
  give(path);
  give(join(path, "PG_VERSION"));
  return { ...at, path };
}

describe.runIf(asRoot).each(["lesser", "root"] as const)("in a directory of %s", (where) => {
  test("a data directory is moved beside its place and back", () => {
    const { path } = data(where);
    expect(rootShell(moveBeside(LESSER, path, "aside")).code).toBe(0);
    expect(existsSync(path)).toBe(false);
    expect(rights(`${path}.aside`)).toBe("daemon 700");
    expect(rootShell(moveBack(LESSER, path, "aside")).code).toBe(0);
    expect(readFileSync(join(path, "PG_VERSION"), "utf8")).toBe("17\n");
    expect(rootShell(moveBack(LESSER, path, "aside")).code).toBe(0);
  });

  test("a data directory is moved beside its place with the time, in another second each time", () => {
    const { path } = data(where);
    expect(rootShell(moveBesideWithTime(LESSER, path, "old")).code).toBe(0);
    const [name = ""] = readdirSync(join(path, ".."), "utf8").filter((one) =>
      one.startsWith("main"),
    );
    expect(name).toMatch(/^main\.old-\d{8}T\d{6}Z$/);
  });

  test("nothing is moved over, or into, something that is there", () => {
    const { path } = data(where);
    mkdirSync(`${path}.aside`);
    const { code, stderr } = rootShell(moveBeside(LESSER, path, "aside"));
    expect(code).toBe(1);
    expect(stderr).toContain("main.aside: expected nothing there, found something");
    expect(readdirSync(`${path}.aside`)).toEqual([]);
    expect(existsSync(join(path, "PG_VERSION"))).toBe(true);
  });

  test("a data directory is told from an empty one and none", () => {
    const { path, lesser } = data(where);
    const holds = (at: string) => rootShell(holdsAnything(LESSER, at)).code === 0;
    mkdirSync(join(lesser, "empty"));
    expect([path, join(lesser, "empty"), join(lesser, "absent")].map(holds)).toEqual([
      true,
      false,
      false,
    ]);
  });

  test("a data directory is removed, and what links in it lead to stays", () => {
    const { path, root } = data(where);
    mkdirSync(join(root, "precious"));
    writeFileSync(join(root, "precious", "file"), "");
    symlinkSync(join(root, "precious"), join(path, "pg_tblspc"));
    expect(rootShell(`set -e\n${removeTree(LESSER, path)}`).code).toBe(0);
    expect(existsSync(path)).toBe(false);
    expect(existsSync(join(root, "precious", "file"))).toBe(true);
    expect(rootShell(`set -e\n${removeTree(LESSER, path)}`).code).toBe(0);
  });
});

describe.runIf(asRoot)("where a lesser user has put links", () => {
  test("a directory of root's is neither moved nor emptied through the parent's exchange", () => {
    const { root, lesser } = ground();
    mkdirSync(join(root, "precious"));
    mkdirSync(join(root, "precious", "main"));
    writeFileSync(join(root, "precious", "main", "file"), "");
    symlinkSync(join(root, "precious"), join(lesser, "17"));
    const path = join(lesser, "17", "main");
    expect(rootShell(moveBeside(LESSER, path, "aside")).code).not.toBe(0);
    expect(rootShell(`set -e\n${removeTree(LESSER, path)}`).code).not.toBe(0);
    expect(readdirSync(join(root, "precious", "main"))).toEqual(["file"]);
  });
});
