import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { render } from "../../src/plan/template";

// How a backup ends that waits for WAL, with the real scripts and a Barman that counts a backup as complete once its last segment is there.

const ID = "20261121T020000";
const segment = (low: string, timeline = 1) =>
  `${String(timeline).padStart(8, "0")}${"0".repeat(14)}${low}`;

interface Found {
  /** What the receiver has: names in `streaming`. */
  readonly streaming: readonly string[];
  readonly archived?: readonly string[];
  /** What Barman knows of the backup. Default: its copy is made, and it waits for segments 60 to 62. */
  readonly record?: string;
  /** How long Barman copies. */
  readonly copying?: string;
  /** What the receiver does meanwhile. */
  readonly receiving?: string;
}

const WAITING = `status=WAITING_FOR_WALS\nerror=None\nbegin_wal=${segment("60")}\nend_wal=${segment("62")}\n`;

/** A backup host of Barman 3.13, which keeps its records apart from the data. */
function backupHost({
  streaming,
  archived = [],
  record = WAITING,
  copying = ":",
  receiving = ":",
}: Found) {
  const folder = mkdtempSync(join(tmpdir(), "pgherd-take-"));
  const [home, bin, lock] = [join(folder, "demo"), join(folder, "bin"), join(folder, "lock")];
  for (const one of [bin, "streaming", "meta", `base/${ID}`, `wals/${segment("60").slice(0, 16)}`])
    mkdirSync(join(one === bin ? "" : home, one), { recursive: true });
  mkdirSync(join(folder, "metrics"));
  for (const name of streaming) writeFileSync(join(home, "streaming", name), "");
  for (const name of archived) writeFileSync(join(home, "wals", name.slice(0, 16), name), "");
  const info = join(home, "meta", `${ID}-backup.info`);
  writeFileSync(info, record);
  const write = (name: string, text: string) => {
    writeFileSync(join(bin, name), text);
    chmodSync(join(bin, name), 0o755);
    return join(bin, name);
  };
  write(
    "barman",
    `#!/bin/bash
cd ${home}
[ "$1" != -q ] || shift
case $1 in
  backup)
    echo $$ >${lock}
    ( ${receiving} ) >/dev/null 2>&1 &
    ${copying}
    ;;
  check-backup) [ ! -e streaming/${segment("62")} ] || sed -i s/WAITING_FOR_WALS/DONE/ meta/* ;;
esac
`,
  );
  write("psql", "#!/bin/sh\n");
  const judge = write("judge", render("barman/judge.sh", { home }));
  const run = (template: string, values: object) => {
    const { status, stderr } = spawnSync("bash", ["-s"], {
      input: render(template, { ...{ name: "demo", home, judge }, ...values }),
      env: { ...process.env, PATH: `${bin}:${process.env.PATH}` },
      encoding: "utf8",
      timeout: 30_000,
    });
    return { status, stderr, record: readFileSync(info, "utf8") };
  };
  return {
    take: () => run("barman/take.sh", { lock, patience: 2, receiverUnit: "receiver.service" }),
    tick: () =>
      run("barman/upkeep.sh", {
        ...{ metrics: join(folder, "metrics"), slot: "barman", streamingConninfo: "-" },
      }),
  };
}

const FAILED = /^status=FAILED\nerror=(.*)\nbegin_wal=/;

test.each([
  ["is behind what is received", ["63.partial"], ["60", "61"], segment("62")],
  ["is behind what is received from its beginning on", ["A3.partial"], [], segment("60")],
])("a backup whose WAL %s ends as failed, with the reason", (_what, streaming, archived, gone) => {
  const { status, stderr, record } = backupHost({
    streaming: streaming.map((low) => segment(low)),
    archived: archived.map((low) => segment(low)),
  }).take();
  expect(status).toBe(1);
  expect(FAILED.exec(record)?.[1]).toContain(`its WAL ${gone} cannot come any more`);
  expect(stderr).toContain(`backup ${ID} failed: its WAL ${gone} cannot come any more`);
});

test("a backup of a timeline that was left before its end ends as failed", () => {
  const found = { streaming: [`${segment("61", 2)}.partial`], archived: [segment("60")] };
  expect(FAILED.exec(backupHost(found).take().record)?.[1]).toContain(segment("62"));
});

test("a backup whose WAL is gone already while it is copied is not copied to the end", () => {
  const record = `status=STARTED\nerror=None\nbegin_wal=${segment("60")}\nend_wal=None\n`;
  const copying = "exec sleep 60";
  const found = { streaming: [`${segment("A3")}.partial`], record, copying };
  expect(FAILED.exec(backupHost(found).take().record)?.[1]).toContain(segment("60"));
});

test("a backup for which nothing is received ends as failed before anybody wonders", () => {
  const { record } = backupHost({ streaming: [`${segment("60")}.partial`] }).take();
  expect(FAILED.exec(record)?.[1]).toBe(
    "its WAL did not come: nothing was received for 2 s. Next: journalctl -u receiver.service",
  );
});

test("a backup whose WAL comes slowly is waited for", () => {
  const receiving = `for i in 0 1 2 3 4 5 6 7; do echo $i >streaming/${segment("60")}.partial; sleep 0.7; done
    mv streaming/${segment("60")}.partial streaming/${segment("62")}`;
  const found = { streaming: [`${segment("60")}.partial`], receiving };
  const { status, record } = backupHost(found).take();
  expect([status, record]).toEqual([0, WAITING.replace("WAITING_FOR_WALS", "DONE")]);
});

test.each([
  ["can never come counts as failed", "A3", /^status=FAILED\nerror=its WAL/],
  ["may still come waits for it", "60", /^status=WAITING_FOR_WALS\nerror=None\n/],
])("a backup that nobody waits for any more and whose WAL %s", (_what, low, record) => {
  const host = backupHost({ streaming: [`${segment(low)}.partial`] });
  expect(host.tick().record).toMatch(record);
});
