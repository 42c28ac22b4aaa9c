import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { render } from "../../src/plan/template";

// How WAL is received and let go of, with the real scripts, a leader that answers by a table, and a pg_receivewal that
// repeats what a server in German has to say.

interface Leader {
  /** As the server shows it. */
  readonly segmentSize: string;
  readonly timeline?: number;
  readonly history?: string;
  /** The first of the leader's segments. */
  readonly oldest?: string;
}

const MB = 2 ** 20;

function backupHost(files: Readonly<Record<string, number>>, leader: Leader) {
  const folder = mkdtempSync(join(tmpdir(), "pgherd-receive-"));
  const [home, bin] = [join(folder, "demo"), join(folder, "bin")];
  for (const one of [bin, join(home, "streaming"), join(folder, "metrics")]) {
    mkdirSync(one, { recursive: true });
  }
  for (const [name, size] of Object.entries(files)) {
    writeFileSync(join(home, "streaming", name), "");
    truncateSync(join(home, "streaming", name), size);
  }
  const bytes = leader.segmentSize.replace("MB", "") + " * 1048576";
  const programs: Readonly<Record<string, string>> = {
    psql: `case "$*" in
  *IDENTIFY_SYSTEM*) echo "7713342702797794961 ${leader.timeline ?? 1} 0/FF000000 " ;;
  *TIMELINE_HISTORY*) printf '%s' '${leader.history ?? ""}' ;;
  *"SHOW wal_segment_size"*) echo ${leader.segmentSize} ;;
  *pg_settings*) echo $((${bytes})) ;;
  *pg_ls_waldir*) echo ${leader.oldest ?? ""} ;;
  *) cat >>${folder}/sql ;;
esac`,
    // Ends the receiver once it has begun anew often enough.
    pg_receivewal: `echo 'pg_receivewal: Fehler: unerwartetes Ende des Replikationsstroms: FEHLER:  das angeforderte WAL-Segment wurde schon entfernt' >&2
echo . >>${folder}/rounds; [ "$(wc -l <${folder}/rounds)" -lt 3 ] || kill "$PPID"; exit 1`,
    barman: ":",
    sleep: ":",
  };
  for (const [name, text] of Object.entries(programs)) {
    writeFileSync(join(bin, name), `#!/bin/bash\n${text}\n`);
    chmodSync(join(bin, name), 0o755);
  }
  const run = (template: string, values: object) =>
    spawnSync("bash", ["-s"], {
      input: render(template, {
        ...{ name: "demo", home, binDirectory: bin, conninfo: "-", streamingConninfo: "-" },
        ...values,
      }),
      env: { ...process.env, PATH: `${bin}:${process.env.PATH}` },
      encoding: "utf8",
    });
  const list = (name: string) =>
    existsSync(join(home, name)) ? readdirSync(join(home, name)).sort() : [];
  const read = (path: string) => (existsSync(path) ? readFileSync(path, "utf8") : "");
  return {
    receive: () => run("barman/receive.sh", { lock: join(folder, "lock") }),
    tick: () => run("barman/tick.sh", { metrics: join(folder, "metrics"), slot: "barman" }),
    gaps: () => read(join(home, "gaps")).split("\n").slice(0, -1),
    sql: () => read(join(folder, "sql")),
    streaming: () =>
      list("streaming").map((name) => [name, statSync(join(home, "streaming", name)).size]),
    diverged: () => list("diverged").map((name) => name.replace(/\.\d+T\d+Z$/, "")),
  };
}

const segment = (low: string, timeline = 1) =>
  `${String(timeline).padStart(8, "0")}${"0".repeat(14)}${low}`;

test("WAL that the leader has removed is noted once, whatever the language of its messages", () => {
  const host = backupHost(
    { [`${segment("60")}.partial`]: MB },
    { segmentSize: "1MB", oldest: segment("A3") },
  );
  host.receive();
  expect(host.gaps()).toEqual([expect.stringMatching(`^2\\S+Z ${segment("60")}$`)]);
  expect(host.diverged()).toEqual([`${segment("60")}.partial`]);
  expect(host.streaming()).toEqual([[`${segment("A3")}.partial`, 0]]);
});

test.each([
  ["the one that is begun", { [`${segment("60")}.partial`]: MB }, "60", undefined],
  ["the one after the last whole one", { [segment("5F")]: MB }, "60", undefined],
  ["the one after the last whole one", { [segment("5F")]: MB }, "61", segment("60")],
])("what comes next is %s", (_what, files, oldest, gap) => {
  const host = backupHost(files, { segmentSize: "1MB", oldest: segment(oldest) });
  host.receive();
  expect(host.gaps().map((line) => line.split(" ")[1])).toEqual(gap ? [gap] : []);
});

test.each([
  ["1MB", MB, MB],
  ["1MB", 8192, 0],
  ["16MB", MB, 0],
  ["16MB", 16 * MB, 16 * MB],
  ["64MB", 16 * MB, 0],
])("with segments of %s one of %i bytes is gone on with at %i", (segmentSize, size, left) => {
  const name = `${segment("60")}.partial`;
  const host = backupHost({ [name]: size }, { segmentSize, oldest: segment("60") });
  host.receive();
  expect(host.streaming()).toEqual([[name, left]]);
});

test("what is left of another timeline is received again from the segment in which it ended", () => {
  const host = backupHost(
    { [`${segment("60")}.partial`]: MB },
    {
      ...{ segmentSize: "1MB", timeline: 2, oldest: segment("50") },
      history: "00000002.history 1\t0/5F80000\tno recovery target specified",
    },
  );
  host.receive();
  expect(host.diverged()).toEqual([`${segment("60")}.partial`]);
  expect(host.streaming()).toEqual([[`${segment("5F", 2)}.partial`, 0]]);
});

test.each([
  ["begun at", { [`${segment("60")}.partial`]: MB }, [`${segment("60")}.partial`], []],
  ["whole up to", { [segment("5F")]: MB }, [], [[segment("5F"), MB]]],
])(
  "a timeline that is %s the place where another one left it is not asked for again",
  (_what, files, aside, kept) => {
    const host = backupHost(files, {
      ...{ segmentSize: "1MB", timeline: 2, oldest: segment("50") },
      history: "00000002.history 1\t0/6000000\tno recovery target specified",
    });
    host.receive();
    expect(host.diverged()).toEqual(aside);
    expect(host.streaming()).toEqual([...kept, [`${segment("60", 2)}.partial`, 0]]);
  },
);

test("a timeline is received up to the place where another one left it", () => {
  const name = `${segment("60")}.partial`;
  const host = backupHost(
    { [name]: MB },
    {
      ...{ segmentSize: "1MB", timeline: 2, oldest: segment("50") },
      history: "00000002.history 1\t0/6000060\tno recovery target specified",
    },
  );
  host.receive();
  expect(host.diverged()).toEqual([]);
  expect(host.streaming()).toEqual([[name, MB]]);
});

test.each([
  ["1MB", "0/6000000"],
  ["16MB", "0/60000000"],
])("with segments of %s the leader lets go of WAL up to %s", (segmentSize, position) => {
  const host = backupHost({ [`${segment("60")}.partial`]: 0 }, { segmentSize });
  host.tick();
  expect(host.sql()).toContain(`pg_replication_slot_advance('barman', '${position}')`);
});
