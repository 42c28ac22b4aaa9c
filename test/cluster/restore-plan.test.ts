import { mkdirSync, mkdtempSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { byFolder, walMoves, withoutRoom } from "../../src/cluster/restore-plan";
import { roomProbe } from "../../src/operations/restore";
import { canMount, newFileSystemAt, withMounts } from "../mounts";
import { asRoot, rootShell } from "../users";

test("members with the same folder are named together", () => {
  const main = "/var/lib/postgresql/17/main";
  expect(
    byFolder([
      ["db1", "/srv/shop"],
      ["db2", main],
      ["db3", main],
    ]),
  ).toEqual(["/srv/shop on db1", `${main} on db2, db3`]);
});

/** A member's data directory, with its WAL in another one if so wished. */
function member({ walElsewhere = false } = {}) {
  const folder = mkdtempSync(join(tmpdir(), "pgherd-restore-plan-"));
  const [dataDirectory, wal] = [join(folder, "main"), join(folder, "wal")];
  mkdirSync(dataDirectory);
  if (walElsewhere) symlinkSync(wal, join(dataDirectory, "pg_wal"));
  const { script, parse } = roomProbe(dataDirectory);
  return {
    dataDirectory,
    wal,
    script,
    parse,
    places: { db1: { dataDirectory, binDirectory: "" } },
  };
}

test.runIf(asRoot)("WAL that lies on another disk is told of: it does not come back there", () => {
  const { script, parse, places, wal, dataDirectory } = member({ walElsewhere: true });
  const room = parse(rootShell(`set -e\n${script}`).stdout);
  expect(room).toMatchObject({ mounted: false, walElsewhere: wal });
  expect(walMoves({ places }, [["db1", room]])).toEqual([
    expect.stringMatching(
      `^has the WAL of db1 in ${dataDirectory}/pg_wal itself from then on: ${wal}, where it is now, stays`,
    ),
  ]);
  const usual = member();
  const plain = usual.parse(rootShell(`set -e\n${usual.script}`).stdout);
  expect(walMoves(usual, [["db1", plain]])).toEqual([]);
});

test.runIf(asRoot && canMount)(
  "a data directory that is a mount point is refused with what to do about it",
  () => {
    const { script, parse, places, dataDirectory } = member();
    const room = parse(withMounts(`${newFileSystemAt(dataDirectory)}${script}`));
    expect(withoutRoom({ places }, 0, [["db1", room]])).toEqual([
      `db1: expected ${dataDirectory} to be a folder that can be set aside, found a file system of its own. ` +
        'Mount the disk one folder higher (docs/backups.md, "A data directory that is a mount point"), or begin a new cluster with the backup (postgresql.bootstrap).',
    ]);
  },
);
