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
  /** The first of the leader's segments, or all that it has, whatever their timeline. */
  readonly oldest?: string | readonly string[];
  /** The same, each time that it is looked for. */
  readonly everOlder?: readonly string[];
}

const MB = 2 ** 20;

function backupHost(
  files: Readonly<Record<string, number>>,
  leader: Leader,
  archived: Readonly<Record<string, string>> = {},
) {
  const folder = mkdtempSync(join(tmpdir(), "pgherd-receive-"));
  const [home, bin] = [join(folder, "demo"), join(folder, "bin")];
  for (const one of [bin, join(home, "streaming"), join(folder, "metrics")]) {
    mkdirSync(one, { recursive: true });
  }
  for (const [name, size] of Object.entries(files)) {
    writeFileSync(join(home, "streaming", name), "");
    truncateSync(join(home, "streaming", name), size);
  }
  for (const [name, text] of Object.entries(archived)) {
    mkdirSync(join(home, "wals", name, ".."), { recursive: true });
    writeFileSync(join(home, "wals", name), text);
  }
  const has = leader.everOlder ?? [[leader.oldest ?? ""].flat().join("\n")];
  has.forEach((names, i) => writeFileSync(join(folder, `waldir.${i}`), `${names}\n`));
  const bytes = leader.segmentSize.replace("MB", "") + " * 1048576";
  const programs: Readonly<Record<string, string>> = {
    psql: `case "$*" in
  *IDENTIFY_SYSTEM*) echo "7713342702797794961 ${leader.timeline ?? 1} 0/FF000000 " ;;
  *"TIMELINE_HISTORY "*) words="$*"; number=\${words##* }
    printf '%s' '${leader.history ?? ""}' | sed "s/^[0-9]*[.]history/0000000$number.history/" ;;
  *"SHOW wal_segment_size"*) echo ${leader.segmentSize} ;;
  *pg_settings*) echo $((${bytes})) ;;
  *pg_ls_waldir*) cat ${folder}/waldir.$(cat ${folder}/rounds 2>/dev/null | wc -l) 2>/dev/null || cat ${folder}/waldir.0 ;;
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
    tick: () =>
      run("barman/upkeep.sh", { metrics: join(folder, "metrics"), slot: "barman", judge: "judge" }),
    gaps: () => read(join(home, "gaps")).split("\n").slice(0, -1),
    sql: () => read(join(folder, "sql")),
    streaming: () =>
      list("streaming")
        .filter((name) => !name.endsWith(".history"))
        .map((name) => [name, statSync(join(home, "streaming", name)).size]),
    histories: () => list("streaming").filter((name) => name.endsWith(".history")),
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

test("a gap that grows before anything behind it has come is noted once", () => {
  const host = backupHost(
    { [`${segment("60")}.partial`]: MB },
    { segmentSize: "1MB", everOlder: [segment("A3"), segment("A5"), segment("A9")] },
  );
  host.receive();
  expect(host.gaps()).toEqual([expect.stringMatching(`^2\\S+Z ${segment("60")}$`)]);
  expect(host.streaming()).toEqual([[`${segment("A9")}.partial`, 0]]);
});

test("a new receiver begins with the oldest WAL that the leader has", () => {
  const host = backupHost({}, { segmentSize: "1MB", oldest: [segment("61"), segment("60")] });
  host.receive();
  expect(host.gaps()).toEqual([]);
  expect(host.streaming()).toEqual([[`${segment("60")}.partial`, 0]]);
});

/** Of a leader that has led since the third change: what it follows. */
const CHANGED = {
  ...{ segmentSize: "1MB", timeline: 4 },
  history: [
    "00000004.history 1\t0/5F80000\tno recovery target specified",
    "2\t0/7180000\tno recovery target specified",
    '3\t0/7280000\tat restore point "5 0/10"',
    "",
  ].join("\n"),
};

test("after several changes of the leader a timeline that was left is followed by the one after it", () => {
  const has = ["50", "60"].map((low) => segment(low));
  const host = backupHost({ [`${segment("60")}.partial`]: MB }, { ...CHANGED, oldest: has });
  host.receive();
  expect(host.gaps()).toEqual([]);
  expect(host.streaming()).toEqual([[`${segment("5F", 2)}.partial`, 0]]);
});

test("where several timelines begin in one segment, the last one's is received, which the leader has alone", () => {
  const begun = `${segment("72")}.partial`;
  const files = { [segment("71")]: MB, [begun]: MB };
  const host = backupHost(files, {
    ...{ segmentSize: "1MB", timeline: 4, oldest: [segment("70"), segment("72", 4)] },
    history: "00000004.history 1\t0/72000A0\tx\n3\t0/7200190\tx\n",
  });
  host.receive();
  expect(host.gaps()).toEqual([]);
  expect(host.diverged()).toEqual([begun]);
  // Servers look for the newest timeline number by number. That of the leader's own comes with its WAL.
  expect(host.histories()).toEqual(["00000003.history"]);
  expect(host.streaming()).toEqual([
    [segment("71"), MB],
    [`${segment("72", 4)}.partial`, 0],
  ]);
});

test("a whole segment of a timeline that the leader has left, at the place where it is received again, is kept aside", () => {
  const host = backupHost(
    { [segment("72", 4)]: MB, [`${segment("73", 4)}.partial`]: MB },
    {
      ...{ segmentSize: "1MB", timeline: 5, oldest: [segment("70", 3)] },
      history: "00000005.history 3\t0/7480000\tx\n",
    },
    { "00000004.history": "3\t0/7240000\tx\n" },
  );
  host.receive();
  expect(host.diverged()).toEqual([segment("72", 4), `${segment("73", 4)}.partial`]);
  expect(host.streaming()).toEqual([[`${segment("72", 3)}.partial`, 0]]);
});

test("the oldest WAL of the leader is what it follows itself, and not what it has left there", () => {
  const stale = [segment("70"), segment("72", 2), segment("70", 3)];
  const has = [...stale, segment("71", 2), segment("71", 3), segment("73", 4)];
  const host = backupHost({ [segment("5A")]: MB }, { ...CHANGED, oldest: has });
  host.receive();
  expect(host.gaps()).toEqual([expect.stringMatching(` ${segment("5B")}$`)]);
  expect(host.streaming()).toEqual([
    [segment("5A"), MB],
    [`${segment("71", 3)}.partial`, 0],
  ]);
});

test("what came of a timeline that the leader never followed is left where both parted", () => {
  const host = backupHost(
    { [segment("73", 9)]: MB, [`${segment("74", 9)}.partial`]: MB },
    { ...CHANGED, oldest: segment("50", 1) },
    { "00000009.history": "1\t0/5F80000\tx\n2\t0/6110000\tx\n" },
  );
  host.receive();
  expect(host.diverged()).toEqual([segment("73", 9), `${segment("74", 9)}.partial`]);
  expect(host.streaming()).toEqual([[`${segment("61", 2)}.partial`, 0]]);
});

test("a receiver that has nothing left goes on after what is in the archive", () => {
  const newest = segment("6A", 2);
  const host = backupHost(
    {},
    { ...CHANGED, oldest: segment("50") },
    { [`${newest.slice(0, 16)}/${newest}`]: "", [`0000000100000000/${segment("5E")}`]: "" },
  );
  host.receive();
  expect(host.streaming()).toEqual([[`${segment("6B", 2)}.partial`, 0]]);
});

test.each([
  ["1MB", "0/6000000"],
  ["16MB", "0/60000000"],
])("with segments of %s the leader lets go of WAL up to %s", (segmentSize, position) => {
  const host = backupHost({ [`${segment("60")}.partial`]: 0 }, { segmentSize });
  host.tick();
  expect(host.sql()).toContain(`pg_replication_slot_advance('barman', '${position}')`);
});
