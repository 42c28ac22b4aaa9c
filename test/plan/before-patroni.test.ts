import { execFileSync, spawn } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { render } from "../../src/plan/template";

const KEY = "/service/demo/initialize";

/** What etcdctl prints for the key, as `get -w fields`. */
const answer = (value: string) => `"Key" : "${KEY}"\n"ModRevision" : 17\n"Value" : "${value}"\n`;
const UNFINISHED = answer("");
const FINISHED = answer("7710720493375544686");

/** A member's disk, with an etcdctl that gives one answer and notes what it is told. */
function member(etcdAnswers: string) {
  const folder = mkdtempSync(join(tmpdir(), "pgherd-before-patroni-"));
  const data = join(folder, "main");
  const begun = join(folder, "begun");
  const told = join(folder, "told");
  mkdirSync(data);
  writeFileSync(join(folder, "answer"), etcdAnswers);
  writeFileSync(
    join(folder, "etcdctl"),
    `#!/bin/sh\ncase "$*" in *get*) cat ${folder}/answer;; *txn*) cat >>${told};; esac\n`,
  );
  chmodSync(join(folder, "etcdctl"), 0o755);
  const script = render("patroni/before-start.sh", {
    dataDirectory: data,
    begun,
    initializeKey: KEY,
    endpoints: "http://10.89.0.11:2379",
  });
  return {
    folder,
    data,
    begun,
    start: () =>
      execFileSync("/bin/sh", ["-s"], {
        input: script,
        env: { PATH: `${folder}:${process.env.PATH}` },
        encoding: "utf8",
      }),
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

test("a database that was only begun is set aside, and the right to make one is given back", () => {
  const { start, write, setAside, told, data } = member(UNFINISHED);
  start();
  write("PG_VERSION", "17\n");
  expect(start()).toContain("only begun when the host or Patroni ended");
  expect(setAside()).toHaveLength(1);
  expect(existsSync(data)).toBe(false);
  expect(told()).toBe(`mod("${KEY}") = "17"\n\ndel ${KEY}\n\n\n`);
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
