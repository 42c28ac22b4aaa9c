import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { backupTablespacesProbe } from "../../src/facts/tablespaces";
import { render } from "../../src/plan/template";
import { rootShell } from "../users";

// How a data directory is filled from a backup, with both real scripts and files such as Barman makes.

const ID = "20261121T020000";
const NAME = 'it\'s "figures"';

/** A backup with a tablespace that was at `srv/figures`, and a member with neither. */
function scene({ tablespaces = true, older = false } = {}) {
  const folder = mkdtempSync(join(tmpdir(), "pgherd-fill-"));
  const [home, data, place] = ["orders", "main", "srv/figures"].map((one) => join(folder, one)) as [
    string,
    string,
    string,
  ];
  const put = (path: string, text: string) => {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  };
  const base = join(home, "base", ID);
  for (const name of ["backup_label", "PG_VERSION"]) put(join(base, "data", name), "17\n");
  put(join(base, "data/tablespace_map"), `16385 ${place}\n`);
  mkdirSync(join(base, "data/pg_tblspc"));
  symlinkSync("/elsewhere", join(base, "data/pg_tblspc/16385"));
  put(join(base, "16385/PG_17_202406281/5/16390"), "rows");
  // As Python writes it.
  const list = tablespaces ? `[('it\\'s "figures"', 16385, '${place}')]` : "None";
  put(join(base, "backup.info"), `status=DONE\ntimeline=1\ntablespaces=${list}\n`);
  mkdirSync(join(folder, "srv"));
  writeFileSync(join(folder, "door"), render("barman/read-backups.sh", {}));
  // `ssh -F CONFIG HOST WORD…`: sshd has the door run.
  put(
    join(folder, "bin/ssh"),
    `#!/bin/sh\nshift 3\n${older ? 'case $1 in tablespaces | data) echo "this key is for reading backups only" >&2; exit 64 ;; esac' : ""}\nSSH_ORIGINAL_COMMAND="$*" exec sh ${folder}/door ${home}\n`,
  );
  spawnSync("chmod", ["755", join(folder, "bin/ssh")]);
  const script = render("patroni/from-backup.sh", { host: "backup1", sshConfig: "/dev/null" });
  writeFileSync(join(folder, "script"), script);
  const fill = (...args: string[]) => {
    const env = { ...process.env, PATH: `${folder}/bin:${process.env.PATH}` };
    const argv = ["script", `--datadir=${data}`, `--backup=${ID}`, ...args];
    const { status, stderr } = spawnSync("bash", argv, { cwd: folder, env, encoding: "utf8" });
    return { status, stderr };
  };
  return { folder, home, data, place, fill, put };
}

const ROWS = "PG_17_202406281/5/16390";

test("a tablespace comes to its own place, and the data to it by a link of its own", () => {
  const { data, place, fill } = scene();
  expect(fill()).toEqual({ status: 0, stderr: "" });
  expect(readFileSync(join(place, ROWS), "utf8")).toBe("rows");
  expect(readlinkSync(join(data, "pg_tblspc/16385"))).toBe(place);
  // PostgreSQL would make its links by this (access/transam/xlogrecovery.c, read_tablespace_map).
  expect(existsSync(join(data, "tablespace_map"))).toBe(false);
});

test("a tablespace comes to another place by its name", () => {
  const { folder, data, place, fill } = scene();
  const other = join(folder, "srv/other place");
  expect(fill(`--tablespace=${NAME}:${other}`).status).toBe(0);
  expect(readFileSync(join(other, ROWS), "utf8")).toBe("rows");
  expect(readlinkSync(join(data, "pg_tblspc/16385"))).toBe(other);
  expect(existsSync(place)).toBe(false);
});

test("nothing is copied before every place is known to be empty and to lie outside of the data", () => {
  const full = scene();
  full.put(join(full.place, "something"), "else");
  expect(full.fill().stderr).toContain(`expected an empty directory of postgres in ${full.place}`);
  expect(existsSync(full.data)).toBe(false);
  const within = scene();
  const { status, stderr } = within.fill(`--tablespace=${NAME}:${within.data}/in`);
  expect([status, stderr]).toEqual([1, expect.stringContaining("expected a place outside of")]);
  const nowhere = scene();
  expect(nowhere.fill(`--tablespace=${NAME}:${nowhere.folder}/not/there`).status).toBe(1);
});

test("a backup without tablespaces is filled in as ever, also from an older pgherd's backup host", () => {
  for (const older of [false, true]) {
    const { data, fill } = scene({ tablespaces: false, older });
    expect(fill().status).toBe(0);
    expect(readFileSync(join(data, "PG_VERSION"), "utf8")).toBe("17\n");
  }
  // That one lets no backup out that has any: a part of it is not taken for the whole.
  const { data, fill } = scene({ older: true });
  expect(fill().status).toBe(1);
  expect(existsSync(join(data, "PG_VERSION"))).toBe(false);
});

test("the tablespaces of a backup are read as Barman has written them", () => {
  const { home, place } = scene();
  const { script, parse } = backupTablespacesProbe(home, ID);
  expect(parse(rootShell(script).stdout)).toEqual([{ name: NAME, location: place, size: 4 }]);
  const none = scene({ tablespaces: false });
  const probe = backupTablespacesProbe(none.home, ID);
  expect(probe.parse(rootShell(probe.script).stdout)).toEqual([]);
  expect(() => probe.parse("Traceback")).toThrow("Take another backup");
});
