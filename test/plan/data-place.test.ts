import { execFileSync, spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { render } from "../../src/plan/template";

/** A host's data directory, on a disk that is mounted at `disk` as long as `mounted` says so. */
function host() {
  const folder = mkdtempSync(join(tmpdir(), "pgherd-data-place-"));
  const disk = join(folder, "disk");
  const data = join(disk, "17/main");
  const record = join(folder, "record");
  mkdirSync(data, { recursive: true });
  writeFileSync(join(data, "PG_VERSION"), "17\n");
  writeFileSync(join(folder, "mounted"), disk);
  const tool = (name: string, text: string) =>
    writeFileSync(join(folder, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  tool(
    "findmnt",
    `while read -r m || [ -n "$m" ]; do case "$4" in "$m"|"$m"/*) echo "$m"; exit;; esac; done <${folder}/mounted; echo /`,
  );
  tool("mountpoint", `[ "$3" = / ] || grep -qxF -- "$3" ${folder}/mounted`);
  tool("sleep", ":");
  const script = render("patroni/data-place.sh", { dataDirectory: data, record });
  const run = (verb: string) =>
    spawnSync("/bin/sh", ["-s", verb], {
      input: script,
      env: { PATH: `${folder}:${process.env.PATH}` },
      encoding: "utf8",
    });
  return {
    ...{ data, disk, folder, record, run },
    mount: (at: string) => writeFileSync(join(folder, "mounted"), at),
    empty: () => rmSync(join(data, "PG_VERSION")),
    recorded: () => readFileSync(record, "utf8").trim(),
  };
}

test("a member whose data disk is not mounted does not start, and says why and what to do", () => {
  const { run, disk, data, mount, recorded } = host();
  expect(run("start")).toMatchObject({ status: 0, stderr: "" });
  expect(recorded()).toBe(disk);
  mount("/nowhere");
  execFileSync("rm", ["-r", disk]);
  const { status, stderr } = run("start");
  expect(status).toBe(1);
  expect(stderr).toContain(
    `the file system of ${data} is not there: it was mounted at ${disk}, where nothing is mounted now`,
  );
  expect(run("look").stdout).toBe(stderr);
  expect(run("keep")).toMatchObject({ status: 0 });
  expect(recorded()).toBe(disk);
  mount(disk);
  mkdirSync(data, { recursive: true });
  expect(run("start").status).toBe(0);
  expect(run("look").stdout).toBe("");
});

test("an older copy of the data below the place where the disk belongs is not started either", () => {
  const { run, mount } = host();
  run("keep");
  mount("/nowhere");
  expect(run("start").status).toBe(1);
});

test("an empty disk that hides the data does not start a new copy", () => {
  const { run, mount, disk, empty } = host();
  mount("/nowhere");
  expect(run("start").status).toBe(0);
  mount(disk);
  empty();
  expect(run("start").stderr).toContain("the data was on the one mounted at /");
});

test("data that was moved to a disk of its own, and an emptied directory on the same disk, are started", () => {
  const moved = host();
  moved.mount("/nowhere");
  moved.run("start");
  moved.mount(moved.disk);
  expect(moved.run("start").status).toBe(0);
  expect(moved.recorded()).toBe(moved.disk);
  moved.empty();
  expect(moved.run("start").status).toBe(0);
});

test("a tablespace whose disk is not mounted keeps the member from starting, until it is there or leads elsewhere", () => {
  const { run, data, disk, folder } = host();
  const fast = join(folder, "fast");
  const link = join(data, "pg_tblspc/16385");
  mkdirSync(join(fast, "space"), { recursive: true });
  mkdirSync(join(data, "pg_tblspc"));
  symlinkSync(join(fast, "space"), link);
  const mounts = (...at: string[]) => writeFileSync(join(folder, "mounted"), at.join("\n"));
  mounts(disk, fast);
  expect(run("start")).toMatchObject({ status: 0, stderr: "" });
  mounts(disk);
  expect(run("start").status).toBe(1);
  expect(run("look").stdout).toContain(
    `the file system of ${fast}/space, where pg_tblspc/16385 of ${data} leads, is not there: it was mounted at ${fast},`,
  );
  expect(run("keep")).toMatchObject({ status: 0 });
  expect(run("start").status).toBe(1);
  rmSync(link);
  symlinkSync(join(disk, "17"), link);
  expect(run("start")).toMatchObject({ status: 0, stderr: "" });
  mounts(disk, fast);
  expect(run("look").stdout).toBe("");
});

test("a member without links has nothing written down of them", () => {
  const { run, record } = host();
  run("start");
  expect(existsSync(`${record}.links`)).toBe(false);
});

test("a tablespace that has come since Patroni's last start is missed too, and no other disk is taken for its own", () => {
  const { run, data, folder } = host();
  const fast = join(folder, "fast/space");
  mkdirSync(join(fast, "PG_17_202406281"), { recursive: true });
  mkdirSync(join(data, "pg_tblspc"));
  mkdirSync(join(data, "global"));
  writeFileSync(join(data, "global/pg_control"), "");
  expect(run("start").status).toBe(0);
  symlinkSync(fast, join(data, "pg_tblspc/16385"));
  expect(run("look").stdout).toBe("");
  rmSync(join(fast, "PG_17_202406281"), { recursive: true });
  const said = `the tablespace at ${fast}, where pg_tblspc/16385 of ${data} leads, is not there: `;
  expect(run("look").stdout).toContain(said);
  expect(run("start")).toMatchObject({
    status: 1,
    stderr: expect.stringContaining(said) as string,
  });
  expect(existsSync(join(folder, "record.links"))).toBe(false);
  rmSync(join(folder, "fast"), { recursive: true });
  expect(run("start").status).toBe(1);
  mkdirSync(join(fast, "PG_17_202406281"), { recursive: true });
  expect(run("start")).toMatchObject({ status: 0, stderr: "" });
  // What is being copied, or has been lost, is another's to judge.
  rmSync(join(fast, "PG_17_202406281"), { recursive: true });
  rmSync(join(data, "global/pg_control"));
  expect(run("start").status).toBe(0);
});
