import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { statSync, writeFileSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { directoriesProbe, filesProbe } from "../../src/facts/files";
import {
  changedDirectories,
  changedFiles,
  makeDirectories,
  removeFiles,
  writeFiles,
} from "../../src/operations/files";

const OWN = {
  owner: userInfo().username,
  group: execFileSync("id", ["-gn"], { encoding: "utf8" }).trim(),
};
const file = (content: string, mode = "0644") => ({ content, mode, ...OWN });
const found = (content: string) => ({ ...file(content), modified: 1, changed: 1 });

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "pgherd-files-"));
});

/** As the hosts run it: stops at the first command that fails. */
function sh(script: string) {
  return spawnSync("/bin/sh", { input: `set -e\n${script}\n`, encoding: "utf8" });
}

test("files that are as wanted are not changed", () => {
  expect(changedFiles({ "/a": file("a\n") }, { "/a": found("a\n"), "/b": found("b\n") })).toEqual(
    [],
  );
});

test.each([
  ["is absent", undefined],
  ["has another text", { ...found("b\n") }],
  ["has another mode", { ...found("a\n"), mode: "0600" }],
  ["has another owner", { ...found("a\n"), owner: "nobody" }],
  ["has another group", { ...found("a\n"), group: "nogroup" }],
])("a file that %s is changed", (_title, there) => {
  expect(changedFiles({ "/a": file("a\n") }, there ? { "/a": there } : {})).toEqual(["/a"]);
});

test("directories are compared by mode and owner", () => {
  const wanted = { "/a": { mode: "0700", ...OWN }, "/b": { mode: "0700", ...OWN } };
  expect(changedDirectories(wanted, wanted)).toEqual([]);
  expect(changedDirectories(wanted, { "/a": { mode: "0755", ...OWN } })).toEqual(["/a", "/b"]);
});

test("files are written with text, mode and owner, and found so afterwards", () => {
  const wanted = {
    [join(folder, "new/it's $(odd).conf")]: file("a 'b' \"c\" $(d) `e` \\ PGHERD\nPGHERD\n"),
    [join(folder, "secret")]: file("word\n", "0600"),
  };
  const { status, stderr } = sh(writeFiles(wanted));
  expect([status, stderr]).toEqual([0, ""]);
  const probe = filesProbe(Object.keys(wanted));
  const there = probe.parse(execFileSync("/bin/sh", { input: probe.script, encoding: "utf8" }));
  expect(changedFiles(wanted, there)).toEqual([]);
});

test("a file is replaced by another one, never written over", () => {
  const path = join(folder, "a.conf");
  writeFileSync(path, "old\n");
  const before = statSync(path).ino;
  expect(sh(writeFiles({ [path]: file("new\n") })).status).toBe(0);
  expect(readFileSync(path, "utf8")).toBe("new\n");
  expect(statSync(path).ino).not.toBe(before);
  expect(readdirSync(folder)).toEqual(["a.conf"]);
});

test("a file that its own program refuses leaves the old one, and the run fails with its words", () => {
  const path = join(folder, "a.conf");
  writeFileSync(path, "good\n");
  const script = writeFiles(
    { [path]: file("bad\n") },
    { [path]: "grep good {} || { echo line 1: bad; false; }" },
  );
  const { status, stderr } = sh(script);
  expect(status).not.toBe(0);
  expect(stderr).toContain(`${path}: the new configuration is refused by its own program:`);
  expect(stderr).toContain("line 1: bad");
  expect(readFileSync(path, "utf8")).toBe("good\n");
  expect(readdirSync(folder)).toEqual(["a.conf"]);
});

test("after a refused file no other reaches its place", () => {
  const [first, second] = [join(folder, "a.conf"), join(folder, "b.conf")];
  const script = writeFiles(
    { [first]: file("bad\n"), [second]: file("fine\n") },
    { [first]: "false {}", [second]: "true {}" },
  );
  expect(sh(script).status).not.toBe(0);
  expect(readdirSync(folder)).toEqual([]);
});

test("a checked file sees the files that it includes", () => {
  const [main, included] = [join(folder, "a.conf"), join(folder, "z.conf")];
  const script = writeFiles(
    { [main]: file("main\n"), [included]: file("included\n") },
    { [main]: `grep -q included ${included} && grep -q main {}` },
  );
  const { status, stderr } = sh(script);
  expect([status, stderr]).toEqual([0, ""]);
});

test("what an interrupted run left behind does not matter", () => {
  const path = join(folder, "a.conf");
  writeFileSync(`${path}.pgherd-new`, "half of a secr");
  chmodSync(`${path}.pgherd-new`, 0o666);
  expect(sh(writeFiles({ [path]: file("whole\n", "0600") })).status).toBe(0);
  expect(readdirSync(folder)).toEqual(["a.conf"]);
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test("directories are made, and a second run finds nothing to do", () => {
  const path = join(folder, "inner");
  const wanted = { [path]: { mode: "0700", ...OWN } };
  expect(sh(makeDirectories(wanted)).status).toBe(0);
  const probe = directoriesProbe([path]);
  const there = probe.parse(execFileSync("/bin/sh", { input: probe.script, encoding: "utf8" }));
  expect(changedDirectories(wanted, there)).toEqual([]);
});

test("removing files is no error where there are none", () => {
  const path = join(folder, "it's.conf");
  writeFileSync(path, "");
  expect(sh(removeFiles([path, join(folder, "absent")])).status).toBe(0);
  expect(existsSync(path)).toBe(false);
  expect(sh(removeFiles([])).status).toBe(0);
});
