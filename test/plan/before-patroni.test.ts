import { execFileSync, spawn } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { plannedDcs } from "../../src/dcs/planned";
import { OWNING } from "../../src/host/ownership";
import { render } from "../../src/plan/template";
import { canMount, newFileSystemAt, withMounts } from "../mounts";
import { asRoot, give, ground, LESSER, rights } from "../users";

const KEY = "/service/demo/initialize";

/** What etcdctl prints for the key, as `get -w fields`. */
const answer = (value: string) => `"Key" : "${KEY}"\n"ModRevision" : 17\n"Value" : "${value}"\n`;
const UNFINISHED = answer("");
const FINISHED = answer("7710720493375544686");

/**
 * A member's disk, with an etcdctl that gives one answer and notes what it is told.
 * @param place where the data directory lies, if not in a directory of root's.
 * @param exchange puts something else there than an empty data directory that has just begun.
 * @param owner whose it is to be.
 */
function member(etcdAnswers: string, place?: string, exchange?: () => void, owner = "root") {
  const folder = mkdtempSync(join(tmpdir(), "pgherd-before-patroni-"));
  const data = join(place ?? folder, "main");
  const begun = join(folder, "begun");
  const told = join(folder, "told");
  if (exchange) {
    exchange();
    writeFileSync(begun, "");
  } else mkdirSync(data);
  writeFileSync(join(folder, "answer"), etcdAnswers);
  writeFileSync(
    join(folder, "etcdctl"),
    `#!/bin/sh\ncase "$*" in *get*) cat ${folder}/answer;; *txn*) cat >>${told};; esac\n`,
  );
  chmodSync(join(folder, "etcdctl"), 0o755);
  const script = render("patroni/before-start.sh", {
    dataDirectory: data,
    binDirectory: folder,
    begun,
    initializeKey: KEY,
    dcs: plannedDcs("etcd").script({ endpoints: ["http://10.89.0.11:2379"] }),
    owning: OWNING,
    tries: 3,
  })
    // The script's lesser user is one that every host has.
    .replaceAll("owning postgres ", `owning ${LESSER} `)
    .replaceAll("-o postgres -g postgres", `-o ${owner} -g ${owner}`)
    .replaceAll("chown postgres:postgres", `chown ${owner}:${owner}`)
    .replaceAll('-- "$data" 2>/dev/null)" = postgres', `-- "$data" 2>/dev/null)" = ${owner}`);
  return {
    folder,
    script,
    data,
    begun,
    start: (...args: string[]) =>
      execFileSync("/bin/sh", ["-s", ...args], {
        input: script,
        env: { PATH: `${folder}:${process.env.PATH}` },
        encoding: "utf8",
        timeout: 30_000,
      }),
    /** The same where a new disk is mounted at the data directory; says what has become of that. */
    startOnNewDisk: () =>
      withMounts(
        `${newFileSystemAt(data)}(\n${script})\nstat -c '%U %a' '${data}'\nls -A '${data}'\n`,
        { ...process.env, PATH: `${folder}:${process.env.PATH}` },
      ),
    write: (name: string, text = "") => writeFileSync(join(data, name), text),
    told: () => (existsSync(told) ? readFileSync(told, "utf8") : ""),
    setAside: () => readdirSync(folder).filter((name) => name.startsWith("main.unfinished-")),
  };
}

test("a database that Patroni has finished stays, whatever is in it later", () => {
  const { start, write, begun, setAside, data } = member(FINISHED);
  start();
  expect(existsSync(begun)).toBe(true);
  write("PG_VERSION", "17\n");
  start();
  expect(existsSync(begun)).toBe(false);
  write("backup_label");
  start();
  expect(setAside()).toEqual([]);
  expect(readdirSync(data).sort()).toEqual(["PG_VERSION", "backup_label"]);
});

test("endpoints of etcd that are no more are not waited for for ever, and the data stays as it is", () => {
  const { folder, start, write, begun, data } = member(FINISHED);
  start();
  write("PG_VERSION", "17\n");
  writeFileSync(join(folder, "etcdctl"), "#!/bin/sh\nexit 1\n");
  expect(() => start()).toThrow(
    /etcd does not answer at http:\/\/10\.89\.0\.11:2379, .* pulumi up/,
  );
  expect(existsSync(begun)).toBe(true);
  expect(readdirSync(data)).toEqual(["PG_VERSION"]);
});

test("a data directory that is a mount point is emptied in place of being renamed", () => {
  const { folder, start, write, setAside, data, told } = member(UNFINISHED);
  start();
  write("PG_VERSION", "17\n");
  mkdirSync(join(data, "lost+found"));
  mkdirSync(join(data, "base/1"), { recursive: true });
  writeFileSync(join(folder, "mountpoint"), "#!/bin/sh\nexit 0\n", { mode: 0o755 });
  expect(start()).toContain("emptied, since it is a file system of its own");
  expect(readdirSync(data)).toEqual([]);
  expect(setAside()).toEqual([]);
  expect(told()).toContain(`del ${KEY}`);
});

test("what a new file system has at its top keeps nobody from making a copy there", () => {
  const { folder, start, write, data } = member(FINISHED);
  start();
  write("PG_VERSION", "17\n");
  mkdirSync(join(data, "lost+found"));
  start();
  expect(readdirSync(data)).toContain("lost+found");
  writeFileSync(join(folder, "mountpoint"), "#!/bin/sh\nexit 0\n", { mode: 0o755 });
  start();
  expect(readdirSync(data)).toEqual(["PG_VERSION"]);
  // What fsck has found there stays.
  mkdirSync(join(data, "lost+found/#12"), { recursive: true });
  start();
  expect(readdirSync(data)).toContain("lost+found");
});

test("a database that was only begun is set aside, and the right to make one is given back", () => {
  const { start, write, setAside, told, data } = member(UNFINISHED);
  start();
  write("PG_VERSION", "17\n");
  expect(start()).toContain("only begun when the host or Patroni ended");
  expect(setAside()).toHaveLength(1);
  expect(readdirSync(data)).toEqual([]);
  expect(told()).toBe(`mod("${KEY}") = "17"\n\ndel ${KEY}\n\n\n`);
});

test.each([
  ["that Patroni has recovered as a primary's own", "shut down", 1, true],
  ["that has followed the primary", "shut down in recovery", 1, false],
  ["that follows it", "in archive recovery", 1, false],
  ["that has been promoted since", "shut down", 2, false],
  ["that lost power before its first checkpoint as the leader", "in production", 1, false, 2],
])("a first copy %s is set aside only if it has diverged", (...row) => {
  const [, state, timeline, aside, recovered = 0] = row as [
    string,
    string,
    number,
    boolean,
    number?,
  ];
  const { start, write, folder, setAside, data } = member(FINISHED);
  start();
  write("PG_VERSION", "17\n");
  write("backup_label.old", "START WAL LOCATION: 0/2000028\nSTART TIMELINE: 1\n");
  const says = `Database cluster state:               ${state}\nLatest checkpoint's TimeLineID:       ${timeline}\nMin recovery ending loc's timeline:   ${recovered}\n`;
  writeFileSync(join(folder, "pg_controldata"), `#!/bin/sh\ncat <<'END'\n${says}END\n`);
  // The script's lesser user runs it.
  for (const one of [folder, join(folder, "pg_controldata")]) chmodSync(one, 0o755);
  start();
  expect(setAside()).toHaveLength(aside ? 1 : 0);
  expect(readdirSync(data).length > 0).toBe(!aside);
});

test("asked what it would do, it tells of a first copy that has diverged and moves nothing", () => {
  const { start, write, folder, setAside, data } = member(FINISHED);
  expect(start("look")).toBe("");
  start();
  write("PG_VERSION", "17\n");
  expect(start("look")).toBe("");
  write("backup_label.old", "START TIMELINE: 1\n");
  const says = `Database cluster state:               shut down\nLatest checkpoint's TimeLineID:       1\nMin recovery ending loc's timeline:   0\n`;
  writeFileSync(join(folder, "pg_controldata"), `#!/bin/sh\ncat <<'END'\n${says}END\n`);
  for (const one of [folder, join(folder, "pg_controldata")]) chmodSync(one, 0o755);
  expect(start("look")).toBe("diverged\n");
  expect(setAside()).toEqual([]);
  expect(existsSync(data)).toBe(true);
});

test("what another member is making meanwhile is not touched a second time", () => {
  const { start, write, told } = member(UNFINISHED);
  start();
  write("PG_VERSION", "17\n");
  start();
  const once = told();
  start();
  expect(told()).toBe(once);
});

test("a member that ended while it set the data aside gives the right back when it starts again", () => {
  const { start, begun, told } = member(UNFINISHED);
  writeFileSync(begun, "17\n");
  start();
  expect(told()).toContain('mod("/service/demo/initialize") = "17"');
  expect(readFileSync(begun, "utf8")).toBe("");
});

test("a copy that was cut off is set aside, and Patroni copies again", () => {
  const { start, write, setAside, told, begun } = member(FINISHED);
  start();
  write("backup_label");
  write("PG_VERSION", "17\n");
  start();
  expect(setAside()).toHaveLength(1);
  expect(told()).toBe("");
  expect(existsSync(begun)).toBe(true);
});

test("what was there before Patroni first started is never touched", () => {
  const { start, write, setAside, told } = member(UNFINISHED);
  write("backup_label");
  write("PG_VERSION", "17\n");
  start();
  expect(setAside()).toEqual([]);
  expect(told()).toBe("");
});

test("a database that runs is left alone when only Patroni starts again", () => {
  const { start, write, setAside, folder } = member(UNFINISHED);
  start();
  const postgres = join(folder, "postgres");
  copyFileSync("/bin/sleep", postgres);
  const running = spawn(postgres, ["60"]);
  try {
    write("postmaster.pid", `${running.pid}\n`);
    start();
    expect(setAside()).toEqual([]);
  } finally {
    running.kill();
  }
});

describe.runIf(asRoot)("in a directory of a lesser user", () => {
  test("a database that was only begun is set aside by that user", () => {
    const { lesser } = ground();
    const { start, write, data } = member(UNFINISHED, lesser, undefined, LESSER);
    give(data);
    start();
    write("PG_VERSION", "17\n");
    start();
    const [aside = ""] = readdirSync(lesser).filter((name) => name !== "main");
    expect(aside).toMatch(/^main\.unfinished-/);
    expect(rights(join(lesser, aside))).toBe("daemon 755");
  });

  test("a directory of root's in place of the data's stays where it is", () => {
    const { root, lesser } = ground();
    const { start } = member(FINISHED, join(lesser, "17"), () => {
      mkdirSync(join(root, "precious", "main"), { recursive: true });
      writeFileSync(join(root, "precious", "main", "backup_label"), "");
      symlinkSync(join(root, "precious"), join(lesser, "17"));
    });
    expect(() => start()).toThrow("Permission denied");
    expect(readdirSync(join(root, "precious"))).toEqual(["main"]);
  });

  test("a file of root's in place of the server's is not read", () => {
    const { root, lesser } = ground();
    const { start, data } = member(FINISHED, lesser, undefined, LESSER);
    const secret = join(root, "secret");
    // Whoever opens it waits for somebody to write into it.
    execFileSync("mkfifo", ["-m", "0600", secret]);
    give(data);
    start();
    symlinkSync(secret, join(data, "postmaster.pid"));
    start();
    expect(readdirSync(data)).toEqual(["postmaster.pid"]);
  });
});

describe.runIf(asRoot)("a data directory that PostgreSQL's user could not make or use", () => {
  test("is made where it is to be, below a directory of root's that is not there either", () => {
    const { root } = ground();
    const place = join(root, "srv", "pgherd");
    const { start, data } = member(UNFINISHED, place, () => {}, LESSER);
    start();
    expect(rights(data)).toBe("daemon 700");
    expect(rights(place)).toBe("root 755");
  });

  test.runIf(canMount).each(["root", "lesser"] as const)(
    "is given to it where a new disk is mounted there, in a directory of %s",
    (where) => {
      const place = ground()[where];
      const { startOnNewDisk } = member(UNFINISHED, place, undefined, LESSER);
      expect(startOnNewDisk()).toBe("daemon 700\n");
    },
  );

  test.runIf(canMount)("is not given to it where it leads to another's disk by a link", () => {
    const { root, lesser } = ground();
    const disk = join(root, "disk");
    const { script } = member(
      UNFINISHED,
      lesser,
      () => symlinkSync(disk, join(lesser, "main")),
      LESSER,
    );
    mkdirSync(disk);
    const said = withMounts(
      `${newFileSystemAt(disk)}(\n${script}) || :\nstat -c '%U %a' '${disk}'\n`,
    );
    expect(said).toContain("root 755\n");
  });
});
