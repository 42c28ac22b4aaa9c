import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { lstatSync, renameSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { directoriesProbe, filesProbe } from "../../src/facts/files";
import {
  changedDirectories,
  changedFiles,
  makeDirectories,
  REFUSED_CODE,
  removeFiles,
  writeFiles,
} from "../../src/operations/files";
import { asRoot, ground, LESSER, rights } from "../users";

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

test("a file that is as it has to be stays the one it is, and a link to one does not", () => {
  const path = join(folder, "a");
  const write = () => sh(writeFiles({ [path]: file("a\n") })).status;
  expect(write()).toBe(0);
  const { ino } = statSync(path);
  expect(write()).toBe(0);
  expect(statSync(path).ino).toBe(ino);
  chmodSync(path, 0o600);
  expect(write()).toBe(0);
  expect(statSync(path).mode & 0o777).toBe(0o644);
  renameSync(path, join(folder, "other"));
  symlinkSync(join(folder, "other"), path);
  expect(write()).toBe(0);
  expect(lstatSync(path).isSymbolicLink()).toBe(false);
  expect(readdirSync(folder).sort()).toEqual(["a", "other"]);
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

test.each([
  ["false {}", "true {}"],
  ["true {}", "false {}"],
])("where one file is refused (%s, %s) no other that is judged reaches its place", (one, other) => {
  const [first, second] = [join(folder, "a.conf"), join(folder, "b.conf")];
  const script = writeFiles(
    { [first]: file("a\n"), [second]: file("b\n") },
    { [first]: one, [second]: other },
  );
  expect(sh(script).status).not.toBe(0);
  expect(readdirSync(folder)).toEqual([]);
});

test("files of one folder that are written together are judged together", () => {
  const [first, second] = [join(folder, "a.yml"), join(folder, "b.yml")];
  writeFileSync(second, "old\n");
  const python = `import sys
written = dict(zip(sys.argv[2::2], sys.argv[1::2]))
print("+".join(open(written[path]).read().strip() for path in sorted(written)))
sys.exit(1)
`;
  const script = writeFiles(
    { [first]: file("a\n"), [second]: file("b\n") },
    { [first]: { python, user: OWN.owner }, [second]: { none: "it is" } },
  );
  expect(sh(script).stderr).toContain("\na+b\n");
  expect(readFileSync(second, "utf8")).toBe("old\n");
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

describe.runIf(asRoot)("a file that is judged by Python", () => {
  const judged = (python: string, path: string) =>
    sh(writeFiles({ [path]: file("bad\n") }, { [path]: { user: LESSER, python } }));

  test("is judged as the daemon's user, who is told where it stands and where it will", () => {
    const { root } = ground();
    const path = join(root, "it's.conf");
    const { stderr } = judged(
      'import os, sys\nnew, path = sys.argv[1:]\nsys.exit("%s %s {} %s" % (os.getuid(), path, open(new).read()))\n',
      path,
    );
    expect(stderr).toContain(`1 ${path} {} bad`);
    expect(readdirSync(root)).toEqual(["lesser"]);
  });

  test("is written where nothing is said against it", () => {
    const { root } = ground();
    expect(judged("pass\n", join(root, "a.conf"))).toMatchObject({ status: 0, stderr: "" });
    expect(readFileSync(join(root, "a.conf"), "utf8")).toBe("bad\n");
  });

  test("is refused with what to do, and with few enough words that its name is seen", () => {
    const { root } = ground();
    const path = join(root, "a.conf");
    const { status, stderr } = judged('import sys\nsys.exit("line\\n" * 100)\n', path);
    expect(status).toBe(REFUSED_CODE);
    const lines = stderr.trim().split("\n");
    expect(lines.length).toBeLessThanOrEqual(12);
    expect(lines[0]).toBe(`${path}: the new configuration is refused by its own program:`);
    expect(lines.at(-1)).toMatch(/pulumi up\.$/);
  });
});

test("a file that nothing can judge is written", () => {
  const path = join(folder, "a.conf");
  expect(sh(writeFiles({ [path]: file("a\n") }, { [path]: { none: "it starts" } })).status).toBe(0);
  expect(readdirSync(folder)).toEqual(["a.conf"]);
});

describe.runIf(asRoot)("where a lesser user has a directory", () => {
  const theirs = { owner: LESSER, group: LESSER };
  const read = (paths: string[], owners = {}) => {
    const probe = filesProbe(paths, owners);
    return probe.parse(execFileSync("/bin/sh", { input: probe.script, encoding: "utf8" }));
  };

  test("that user's files are written, found and removed as before", () => {
    const { lesser } = ground();
    const path = join(lesser, "new", "their.conf");
    const wanted = { [path]: { content: "text\n", mode: "0640", ...theirs } };
    expect(sh(writeFiles(wanted))).toMatchObject({ status: 0, stderr: "" });
    expect(rights(path)).toBe("daemon 640");
    expect(rights(join(lesser, "new"))).toBe("daemon 755");
    expect(changedFiles(wanted, read([path], wanted))).toEqual([]);
    expect(sh(removeFiles([path], LESSER)).status).toBe(0);
    expect(readdirSync(join(lesser, "new"))).toEqual([]);
  });

  test("that user's files in a directory of root's are written by root", () => {
    const { root } = ground();
    const path = join(root, "passwords");
    const wanted = { [path]: { content: "text\n", mode: "0600", ...theirs } };
    expect(sh(writeFiles(wanted))).toMatchObject({ status: 0, stderr: "" });
    expect(changedFiles(wanted, read([path], wanted))).toEqual([]);
  });

  test.each(["their.conf", "their.conf.pgherd-new"])(
    "a link at %s leads to nothing of root's when the file is written",
    (name) => {
      const { root, lesser } = ground();
      const precious = join(root, "precious");
      writeFileSync(precious, "precious\n", { mode: 0o600 });
      symlinkSync(precious, join(lesser, name));
      const wanted = {
        [join(lesser, "their.conf")]: { content: "text\n", mode: "0644", ...theirs },
      };
      expect(sh(writeFiles(wanted)).status).toBe(0);
      expect([readFileSync(precious, "utf8"), rights(precious)]).toEqual([
        "precious\n",
        "root 600",
      ]);
    },
  );

  test("a directory that was exchanged for a link leads to nothing of root's", () => {
    const { root, lesser } = ground();
    mkdirSync(join(root, "precious"));
    writeFileSync(join(root, "precious", "file"), "precious\n", { mode: 0o600 });
    symlinkSync(join(root, "precious"), join(lesser, "folder"));
    const path = join(lesser, "folder", "file");
    const there = { content: "text\n", mode: "0644", ...theirs };
    const run = sh(`${writeFiles({ [path]: there })}\necho on`);
    expect({ status: run.status, stdout: run.stdout }).toEqual({ status: 1, stdout: "" });
    expect(sh(removeFiles([path], LESSER)).status).not.toBe(0);
    const made = { [join(lesser, "folder")]: { mode: "0777", ...theirs } };
    expect(sh(makeDirectories(made)).status).not.toBe(0);
    expect(readFileSync(join(root, "precious", "file"), "utf8")).toBe("precious\n");
    expect([rights(join(root, "precious")), rights(join(root, "precious", "file"))]).toEqual([
      "root 755",
      "root 600",
    ]);
  });

  test("what root's files say is not read through that user's links", () => {
    const { root, lesser } = ground();
    writeFileSync(join(root, "secret"), "secret\n", { mode: 0o600 });
    symlinkSync(join(root, "secret"), join(lesser, "link"));
    symlinkSync(root, join(lesser, "folder"));
    const [link, through] = [join(lesser, "link"), join(lesser, "folder", "secret")];
    const owners = { [link]: theirs, [through]: { owner: "root" } };
    for (const file of Object.values(read([link, through], owners))) expect(file.content).toBe("");
    expect(read([join(root, "secret")])[join(root, "secret")]?.content).toBe("secret\n");
  });

  test("a file of root's is refused there, with what to do", () => {
    const { lesser } = ground();
    const path = join(lesser, "root.conf");
    const wanted = { content: "text\n", mode: "0644", owner: "root", group: "root" };
    const { status, stderr } = sh(writeFiles({ [path]: wanted }));
    expect(status).toBe(1);
    expect(stderr).toContain(
      `${lesser}: expected directories that root alone can change, found lesser (drwxr-xr-x daemon). Give it to root`,
    );
    expect(existsSync(path)).toBe(false);
  });

  test("that user's directories are made in one of theirs and in one of root's", () => {
    const { root, lesser } = ground();
    const directory = { mode: "0700", ...theirs };
    const wanted = { [join(root, "new")]: directory, [join(lesser, "new")]: directory };
    expect(sh(makeDirectories(wanted))).toMatchObject({ status: 0, stderr: "" });
    expect(Object.keys(wanted).map(rights)).toEqual(["daemon 700", "daemon 700"]);
    expect(sh(makeDirectories(wanted)).status).toBe(0);
  });
});
