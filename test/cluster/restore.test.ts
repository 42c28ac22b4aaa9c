import { execFile } from "node:child_process";
import {
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
import { describe, expect, test, vi } from "vitest";
import type { BaseBackup } from "../../src/facts/barman";
import { CommandError, ConnectError, type PgherdError } from "../../src/errors";
import type { Host, Probe } from "../../src/host/host";
import { strict } from "../../src/host/shell";
import { stopMember } from "../../src/operations/restore-data";
import { performRestore } from "../../src/cluster/restore";
import type { RestorableCluster, RestoreIntent } from "../../src/cluster/restore-plan";
import { considerResume, finishRestore } from "../../src/cluster/restore-resume";
import { observeRestores } from "../../src/cluster/restore-steps";
import { considerUndo, cutOffRestore, undoRestore } from "../../src/cluster/restore-undo";

// A restore that breaks at each of its steps. The scripts are run by a real shell, on folders that stand for two members;
// programs of the host are played: Patroni by `systemctl` and `curl`, which asks etcd too.

let dead = false;

vi.mock("node:timers/promises", () => ({
  setTimeout: () => (dead ? Promise.reject(new Error("dead")) : Promise.resolve()),
}));

const MEMBERS = ["db1", "db2"];

const PLAYED: { readonly [program: string]: string } = {
  systemctl: `data=$HOST_DIR/data/main
newest() { ls $ALL/wals | sed -n 's/^0*\\([0-9]*\\).history/\\1/p' | sort -n | tail -n 1; }
timeline() { cat $1/data/main/timeline 2>/dev/null || echo 1; }
receive() {
  : >$ALL/receiving
  leader=$(cat $ALL/leader 2>/dev/null) || return 0
  for one in $(seq 2 $(timeline $ALL/$leader)); do printf '1\\t0/5000000\\tnone\\n' >$ALL/wals/0000000$one.history; done
}
case $* in
  "stop pgherd-barman.service") rm -f $ALL/receiving ;;
  "start pgherd-barman.service") receive ;;
  *is-active*) [ -e $HOST_DIR/up ] ;;
  disable*) rm -f $HOST_DIR/enabled ;;
  enable*) : >$HOST_DIR/enabled ;;
  stop*) rm -f $HOST_DIR/up; [ "$(cat $ALL/leader 2>/dev/null)" != $HOST ] || rm -f $ALL/leader ;;
  start*)
    : >$HOST_DIR/up
    rm -f $HOST_DIR/lost
    if [ -z "$(ls -A $data 2>/dev/null)" ]; then
      mkdir -p $data
      if [ -e $HOST_DIR/etc/30-restore.yml ]; then
        [ ! -e $ALL/damaged ] || { mv $data $data.failed; exit 0; }
        [ ! -e $ALL/receiving ] || : >$ALL/archived
        echo restored >$data/rows
        echo 2 >$data/timeline
        mkdir $data/pg_wal
        printf '1\\t0/5000000\\tnone\\n' >$data/pg_wal/00000002.history
      else cp $ALL/$(cat $ALL/leader)/data/main/* $data/ 2>/dev/null
      fi
    # It would follow what it does not come from.
    elif [ "$(newest)" -gt "$(timeline $HOST_DIR)" ] && { [ ! -s $ALL/leader ] || [ "$(newest)" != "$(timeline $ALL/$(cat $ALL/leader))" ]; }; then
      : >$HOST_DIR/lost
    fi
    [ -s $ALL/leader ] || echo $HOST >$ALL/leader
    ;;
esac`,
  // Data that begins a timeline of its own takes a number that the archive does not have.
  pg_ctl: `case $* in
  *recovery_target_timeline=current*start)
    rm $2/recovery.signal
    ls $ALL/wals | sed -n 's/^0*\\([0-9]*\\).history/\\1/p' | sort -n | tail -n 1 | { read -r last; echo $((last + 1)) >$2/timeline; }
    ;;
esac`,
  pg_controldata: `echo "Database cluster state:               in production"
echo "Latest checkpoint's TimeLineID:       $(cat $2/timeline 2>/dev/null || echo 1)"`,
  curl: `case $* in *db1:2379/v3/kv/txn*) rm -f $ALL/leader; echo '{"header":{}}'; exit ;; *db1:2379/v3/kv/put*) echo '{"header":{}}'; exit ;; esac
case $* in *db1:8008*) of=db1 ;; *db2:8008*) of=db2 ;; *) exit 7 ;; esac
[ -e $ALL/$of/up ] || exit 7
list=
for one in db1 db2; do
  [ -e $ALL/$one/up ] && [ -e $ALL/$one/data/main/rows ] && [ ! -e $ALL/$one/lost ] || continue
  if [ "$(cat $ALL/leader 2>/dev/null)" = $one ]; then role=leader state=running; else role=replica state=streaming; fi
  list="$list\${list:+,}{\\"name\\":\\"$one\\",\\"role\\":\\"$role\\",\\"state\\":\\"$state\\",\\"timeline\\":$(cat $ALL/$one/data/main/timeline 2>/dev/null || echo 1)}"
done
echo "{\\"members\\":[$list]}"`,
  runuser: `shift 3; exec "$@"`,
  setpriv: `case $* in *pg_is_in_recovery*) echo f && exit ;; esac
case $(cat) in
  "select pg_current_wal_lsn();") echo 0/5100000 ;;
  *pg_stat_replication*)
    [ -e $HOST_DIR/up ] && [ -e $HOST_DIR/data/main/rows ] || exit 2
    list=
    if [ "$(cat $ALL/leader 2>/dev/null)" = $HOST ]; then
      for one in db1 db2; do
        [ $one != $HOST ] && [ -e $ALL/$one/up ] && [ -e $ALL/$one/data/main/rows ] && [ ! -e $ALL/$one/lost ] || continue
        list="$list\${list:+,}{\\"name\\":\\"$one\\",\\"state\\":\\"streaming\\",\\"syncState\\":\\"async\\"}"
      done
    fi
    echo "{\\"standbys\\":[$list]}"
    ;;
esac`,
  chown: ":",
  journalctl: `[ ! -e $ALL/damaged ] || echo 'Failed to bootstrap cluster'`,
};

/** When a change fails, counted over all hosts from 1, and how. */
interface Fault {
  readonly at: number;
  /** `lost`: it ran, and nobody hears of it. `killed`: it does not run, and nothing else does. */
  readonly how: "lost" | "killed";
}

class Scene {
  readonly all = mkdtempSync(join(tmpdir(), "pgherd-restore-"));
  readonly actions: string[] = [];
  fault?: Fault;
  /** A member that is out of reach. */
  away?: string;

  constructor() {
    mkdirSync(join(this.all, "bin"));
    for (const [name, script] of Object.entries(PLAYED))
      writeFileSync(join(this.all, "bin", name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    for (const name of MEMBERS) {
      for (const folder of ["data/main", "etc", "var", "run", "proc"])
        mkdirSync(join(this.all, name, folder), { recursive: true });
      writeFileSync(join(this.all, name, "data/main/rows"), "old\n");
      for (const file of ["up", "enabled"]) writeFileSync(join(this.all, name, file), "");
    }
    writeFileSync(join(this.all, "leader"), "db1\n");
    mkdirSync(join(this.all, "backup1"));
    writeFileSync(join(this.all, "receiving"), "");
    mkdirSync(join(this.all, "wals"));
    writeFileSync(join(this.all, "wals/00000001.history"), "1\t0/5000000\tnone\n");
  }

  run(name: string, script: string): Promise<string> {
    const dir = join(this.all, name);
    const here = strict(script)
      .replaceAll("/var/lib/pgherd", join(dir, "var"))
      .replaceAll("/etc/patroni/pgherd", join(dir, "etc"))
      .replaceAll("/run/pgherd", join(dir, "run"))
      .replaceAll("/proc/", `${dir}/proc/`);
    const env = {
      ...{ HOST: name, HOST_DIR: dir, ALL: this.all },
      PATH: `${join(this.all, "bin")}:${process.env.PATH}`,
    };
    return new Promise((resolve, reject) => {
      const child = execFile("/bin/sh", ["-s"], { env }, (error, stdout, stderr) => {
        if (error) reject(new CommandError(name, "changing", Number(error.code), stderr));
        else resolve(stdout);
      });
      child.stdin?.end(here);
    });
  }

  private host(name: string): Host {
    return {
      observe: async <T>(probe: Probe<T>): Promise<T> => {
        if (dead) throw new Error("dead");
        if (name === this.away) throw new ConnectError(name, "cannot be reached.");
        return probe.parse(await this.run(name, probe.script));
      },
      change: async (action: string, script: string): Promise<string> => {
        if (dead) throw new Error("dead");
        if (name === this.away) throw new ConnectError(name, "cannot be reached.");
        this.actions.push(`${name} ${action}`);
        if (this.actions.length !== this.fault?.at) return this.run(name, script);
        if (this.fault.how === "killed") {
          dead = true;
          throw new Error("dead");
        }
        await this.run(name, script);
        throw new ConnectError(name, "the connection broke.");
      },
    } as unknown as Host;
  }

  cluster(): RestorableCluster {
    return {
      plan: {
        name: "demo",
        patroni: {
          members: { db1: "db1:8008", db2: "db2:8008" },
          ...{ port: 5432, synchronous: null, neverLead: [] },
          rolling: { maximumLag: 0, longestTransaction: 0, drain: 0 },
        },
        dcs: { kind: "etcd", members: { db1: "http://db1:2379" } },
        ownDcs: [],
        firewalls: [],
      },
      host: (name) => this.host(name),
      progress: () => undefined,
      renew: () => undefined,
      by: "anna@desk",
      backup: { host: "backup1", home: this.all } as RestorableCluster["backup"],
      places: Object.fromEntries(
        MEMBERS.map((name) => [
          name,
          { dataDirectory: join(this.all, name, "data/main"), binDirectory: join(this.all, "bin") },
        ]),
      ),
      binDirectory: "/none",
      fill: "fill",
      history: "history %f %p",
      recovery: () => [],
    };
  }

  /** What each member has: `{ db1: "old, up" }`. */
  state(): { [name: string]: string } {
    const there = (name: string) => existsSync(join(this.all, name));
    const backup1 = [
      there("receiving") ? "receives" : "silent",
      ...(there("archived") ? ["has WAL of what was not accepted"] : []),
    ].join(", ");
    const members = Object.fromEntries(
      MEMBERS.map((name) => {
        const dir = join(this.all, name);
        const rows = existsSync(join(dir, "lost"))
          ? "follows what it does not come from"
          : readFileSync(join(dir, "data/main/rows"), "utf8").trim();
        const left = [...readdirSync(join(dir, "var")), ...readdirSync(join(dir, "etc"))];
        const up = existsSync(join(dir, "up")) && existsSync(join(dir, "enabled"));
        return [name, [rows, up ? "up" : "down", ...left].join(", ")];
      }),
    );
    return { ...members, backup1 };
  }
}

const INTENT: RestoreIntent = {
  ...{ target: {}, first: "db1", members: MEMBERS, leads: true, systemIdentifier: "1" },
  backup: { id: "20261121T020000", size: 1, segmentBytes: 2 ** 24 } as BaseBackup,
  ...{ timeline: 1, end: { timeline: 1, lsn: "0/5000000" } },
  // No etcd is played.
  problems: [
    "db1: etcd is not healthy.",
    "The DCS (etcd) has no majority: nobody can be elected to lead.",
  ],
  ...{ refusals: [], objections: [], effects: [] },
};

const OLD = { db1: "old, up", db2: "old, up", backup1: "receives" };
const RESTORED = { db1: "restored, up", db2: "restored, up", backup1: "receives" };

async function actionsOfARestore(): Promise<string[]> {
  const scene = new Scene();
  await performRestore(scene.cluster(), INTENT);
  expect(scene.state()).toEqual(RESTORED);
  return scene.actions;
}

const actions = await actionsOfARestore();
const each = Array.from({ length: actions.length }, (_, i) => i + 1);

test("a restore that fails puts the data from before back", async () => {
  const scene = new Scene();
  writeFileSync(join(scene.all, "damaged"), "");
  const error = await performRestore(scene.cluster(), INTENT).catch((one: PgherdError) => one);
  expect(error).toMatchObject({
    message: expect.stringMatching(/the restore failed; the cluster runs as before\./),
    // Patroni has given it another name.
    hint: expect.stringMatching(/main\.failed-restore-\d{8}T\d{6}Z on db1\.$/),
  });
  const told = /\/\S+failed-restore-\w+/.exec((error as PgherdError).hint ?? "")?.[0] ?? "";
  expect(existsSync(told)).toBe(true);
  expect(existsSync(told.replace(/failed-.*/, "failed"))).toBe(false);
  expect(scene.state()).toEqual(OLD);
});

test("a restore that is stopped by a signal puts the data from before back", async () => {
  const scene = new Scene();
  const controller = new AbortController();
  const cluster = scene.cluster();
  const performing = performRestore(
    {
      ...cluster,
      progress: (message) => {
        if (message.startsWith("setting")) controller.abort(new Error("stopped by SIGINT"));
      },
    },
    INTENT,
    controller.signal,
  );
  await expect(performing).rejects.toThrow(/runs as before\.\nstopped by SIGINT/);
  expect(scene.state()).toEqual(OLD);
});

describe("whose connection breaks", () => {
  test.each(each)("at change %i, the old data serves again, or it comes to its end", async (at) => {
    const scene = new Scene();
    scene.fault = { at, how: "lost" };
    const cluster = scene.cluster();
    const outcome = await performRestore(cluster, INTENT).catch((error: Error) => error);
    if (!(outcome instanceof Error)) {
      // The members are restored, whatever the backup host does; and any of them changes the DCS.
      expect(["db1 forgetting the old cluster", "backup1 beginning WAL reception"]).toContain(
        scene.actions[at - 1],
      );
      expect(scene.state()).toEqual(RESTORED);
      return;
    }
    const { message } = outcome;
    if (message.includes("runs as before")) expect(scene.state()).toEqual(OLD);
    else {
      expect(message).toContain("Go on with: pgherd restore --resume");
      const left = Object.keys((await observeRestores(cluster)).found).length;
      if (left > 0) await finishRestore(cluster, await cutOffRestore(cluster));
      expect(scene.state()).toEqual(RESTORED);
    }
  });
});

describe("whose command is killed", () => {
  test.each(each)(
    "before change %i, the members say what to do, and --undo does it",
    async (at) => {
      const scene = new Scene();
      scene.fault = { at, how: "killed" };
      await expect(performRestore(scene.cluster(), INTENT)).rejects.toThrow();
      dead = false;
      const cluster = scene.cluster();
      const left = Object.values((await observeRestores(cluster)).found);
      if (left.length === 0) {
        expect([OLD, RESTORED]).toContainEqual(scene.state());
        return;
      }
      const cutOff = await cutOffRestore(cluster);
      if ((await considerUndo(cluster, cutOff)).refusals.length > 0) {
        // All was done but for the records.
        await finishRestore(cluster, cutOff);
        expect(scene.state()).toEqual(RESTORED);
        return;
      }
      await undoRestore(cluster, cutOff);
      expect(scene.state()).toEqual(OLD);
    },
  );
});

/** A restore that was killed when the data had just been moved. */
async function killedHalfway(): Promise<Scene> {
  const scene = new Scene();
  scene.fault = { at: 10, how: "killed" };
  await expect(performRestore(scene.cluster(), INTENT)).rejects.toThrow();
  dead = false;
  return scene;
}

/** A restore that was killed before a change, counted from the first that is called so. */
async function killedAfter(action: string): Promise<Scene> {
  const scene = new Scene();
  scene.fault = { at: actions.indexOf(action) + 2, how: "killed" };
  await expect(performRestore(scene.cluster(), INTENT)).rejects.toThrow();
  dead = false;
  return scene;
}

describe("whose Patroni goes on alone", () => {
  const alone = () => killedAfter("db1 starting Patroni");
  const plan = async (scene: Scene) =>
    considerResume(scene.cluster(), await cutOffRestore(scene.cluster()));

  test("comes to its end, as it is asked who leads", async () => {
    const scene = await alone();
    const cutOff = await cutOffRestore(scene.cluster());
    expect(cutOff.record.phase).toBe("moving");
    expect(await plan(scene)).toMatchObject({
      refusals: [],
      effects: ["db1 has come to lead with the restored data by itself; has db2 follow it"],
    });
    await finishRestore(scene.cluster(), cutOff);
    expect(scene.state()).toEqual(RESTORED);
  });

  test("does not come to its end with less than was asked for", async () => {
    const scene = await alone();
    const file = join(scene.all, "db1/data/main/pg_wal/00000002.history");
    writeFileSync(file, "1\t0/4000000\tnone\n");
    expect((await plan(scene)).refusals.join()).toMatch(
      /All WAL was to be replayed, to 0\/5000000 .* ended at 0\/4000000.*pgherd restore --undo/,
    );
    const finishing = finishRestore(scene.cluster(), await cutOffRestore(scene.cluster()));
    await expect(finishing).rejects.toThrow(/All WAL was to be replayed/);
  });

  test("is undone with what was written since named", async () => {
    const scene = await alone();
    const cutOff = await cutOffRestore(scene.cluster());
    expect((await considerUndo(scene.cluster(), cutOff)).effects.join("\n")).toMatch(
      /loses what was written since the restored data leads, on db1 for \d+ s: from 0\/5000000 to 0\/5100000, 1 MB of WAL/,
    );
  });

  test("does not come to its end where nothing restores any more", async () => {
    const scene = await killedAfter("db1 setting data aside");
    expect((await plan(scene)).refusals.join()).toContain("`pgherd restore --undo` puts");
  });
});

test("data that is put back after its restore was accepted goes on on a timeline that nobody has used", async () => {
  const scene = await killedAfter("backup1 beginning WAL reception");
  expect(readdirSync(join(scene.all, "wals"))).toContain("00000002.history");
  await undo(scene);
  expect(scene.state()).toEqual(OLD);
  expect(readFileSync(join(scene.all, "db1/data/main/timeline"), "utf8")).toBe("3\n");
});

const undo = async (scene: Scene) =>
  undoRestore(scene.cluster(), await cutOffRestore(scene.cluster()));

async function changesOfTheWayBack(): Promise<number> {
  const scene = await killedHalfway();
  const before = scene.actions.length;
  await undo(scene);
  return scene.actions.length - before;
}

const back = await changesOfTheWayBack();

test.each(Array.from({ length: back }, (_, i) => i + 1))(
  "the way back may itself be killed before its change %i, and be done again",
  async (at) => {
    const scene = await killedHalfway();
    scene.fault = { at: scene.actions.length + at, how: "killed" };
    await expect(undo(scene)).rejects.toThrow();
    dead = false;
    await undo(scene);
    expect(scene.state()).toEqual(OLD);
  },
);

test("a way back that was killed after the timeline of its own began has the archive know of it before others follow", async () => {
  const scene = await killedAfter("backup1 beginning WAL reception");
  const begins = await changesUntil("db1 beginning a timeline");
  scene.fault = { at: scene.actions.length + begins + 1, how: "killed" };
  await expect(undo(scene)).rejects.toThrow();
  dead = false;
  const before = scene.actions.length;
  await undo(scene);
  const done = scene.actions.slice(before);
  expect(done).not.toContain("db1 beginning a timeline");
  const ended = done.indexOf("db1 ending the segment");
  expect(ended).toBeGreaterThan(done.indexOf("db1 starting Patroni"));
  expect(ended).toBeLessThan(done.indexOf("db2 starting Patroni"));
  expect(scene.state()).toEqual(OLD);
});

async function changesUntil(change: string): Promise<number> {
  const scene = await killedAfter("backup1 beginning WAL reception");
  const before = scene.actions.length;
  await undo(scene);
  return scene.actions.slice(before).indexOf(change) + 1;
}

test("a member that is away is left for later, without keeping the others from going back", async () => {
  const scene = await killedHalfway();
  scene.away = "db2";
  const first = await cutOffRestore(scene.cluster());
  expect((await considerUndo(scene.cluster(), first)).effects.join()).toContain(
    "leaves db2 as it is",
  );
  await undoRestore(scene.cluster(), first);
  expect(readFileSync(join(scene.all, "db1/data/main/rows"), "utf8")).toBe("old\n");
  expect(existsSync(join(scene.all, "db1/up"))).toBe(true);
  scene.away = undefined;
  const second = await cutOffRestore(scene.cluster());
  expect(second.within).toEqual(["db2"]);
  await undoRestore(scene.cluster(), second);
  expect(scene.state()).toEqual(OLD);
});

test("data is not moved while PostgreSQL works in it, whatever its own files and pg_ctl say", async () => {
  const scene = new Scene();
  const data = join(scene.all, "db1/data/main");
  const process = join(scene.all, "db1/proc/4711");
  mkdirSync(process);
  writeFileSync(join(process, "comm"), "postgres\n");
  writeFileSync(join(process, "cgroup"), "0::/init.scope\n");
  symlinkSync(data, join(process, "cwd"));
  const script = stopMember({ dataDirectory: data, binDirectory: "/none" });
  await expect(scene.run("db1", script.replaceAll("+ 30", "+ 1"))).rejects.toThrow(
    /expected nothing to work in .*main any more, found postgres 4711\. Nothing was moved/,
  );
});
