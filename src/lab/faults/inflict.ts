import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { packageRoot } from "../../package-root";
import { labPaths, type LabPaths } from "../paths";
import { requireHosts, requireNetwork } from "../power";
import { requireRights } from "../rights";
import { requireState, writeWhole } from "../state";
import { faultOf, type Kind, type Wish } from "./catalog";
import type { Victim } from "./fault";

/** A fault that is in force. */
interface Inflicted {
  readonly id: string;
  /** In a few words: `db1 hanging`. */
  readonly what: string;
  /** Undoes it; once more is fine. */
  heal(): Promise<void>;
}

/** A fault as it is kept on record, from before it is inflicted until it is healed. */
interface FaultRecord {
  readonly id: string;
  readonly kind: Kind;
  readonly args: object;
  /** ISO 8601. */
  readonly since: string;
}

/**
 * Inflicts a fault. Whatever becomes of this process, it is healed: by `heal`, or else by a watcher that notices that
 * this process is gone, by SIGKILL too.
 * @throws PgherdError when the lab has no such host, or the fault is not possible there
 */
export async function inflict(lab: string, { kind, args }: Wish): Promise<Inflicted> {
  requireRights();
  const id = randomBytes(4).toString("hex");
  const victim = victimOf(lab, id);
  const fault = faultOf(kind);
  requireHosts(victim.state, fault.hosts(args));
  await requireNetwork(victim.paths, lab);
  fs.mkdirSync(folderOf(victim.paths), { recursive: true });
  const record: FaultRecord = { id, kind, args, since: new Date().toISOString() };
  writeWhole(fileOf(victim.paths, id), `${JSON.stringify(record)}\n`);
  const dismiss = watchOver(lab, id);
  const heal = async () => {
    await healRecord(victim, record);
    dismiss();
  };
  try {
    await fault.inflict(victim, args);
  } catch (error) {
    await heal();
    throw error;
  }
  return { id, what: fault.describe(args), heal };
}

/** Does something while a fault is in force, which is healed however that ends. */
export async function during<T>(lab: string, wish: Wish, work: () => Promise<T>): Promise<T> {
  const fault = await inflict(lab, wish);
  try {
    return await work();
  } finally {
    await fault.heal();
  }
}

/** Heals what is on record: all of it, or one fault. Returns what that was, in words. */
export async function healFaults(lab: string, only?: string): Promise<string[]> {
  requireRights();
  const healed: string[] = [];
  for (const record of recordedFaults(lab)) {
    if (only !== undefined && record.id !== only) continue;
    await healRecord(victimOf(lab, record.id), record);
    healed.push(faultOf(record.kind).describe(record.args));
  }
  return healed;
}

/** Faults that are in force, oldest first. */
export function recordedFaults(lab: string): FaultRecord[] {
  const folder = folderOf(labPaths(lab));
  if (!fs.existsSync(folder)) return [];
  return fs
    .readdirSync(folder)
    .filter((file) => file.endsWith(".json"))
    .map((file) => JSON.parse(fs.readFileSync(path.join(folder, file), "utf8")) as FaultRecord)
    .sort((a, b) => a.since.localeCompare(b.since));
}

async function healRecord(victim: Victim, { id, kind, args }: FaultRecord): Promise<void> {
  await faultOf(kind).heal(victim, args);
  fs.rmSync(fileOf(victim.paths, id), { force: true });
}

function victimOf(name: string, id: string): Victim {
  const paths = labPaths(name);
  return { name, paths, state: requireState(name, paths), id };
}

function folderOf({ dir }: LabPaths): string {
  return path.join(dir, "faults");
}

function fileOf(paths: LabPaths, id: string): string {
  return path.join(folderOf(paths), `${id}.json`);
}

/** Starts a process that heals the fault when this one ends without having done so. Returns how to dismiss it. */
function watchOver(lab: string, id: string): () => void {
  const heal = [process.execPath, path.join(packageRoot(), "bin/pgherd")];
  // It hears of our end by the end of the pipe, as the lab's lock does. "detached": a Ctrl-C is for us alone.
  const watcher = spawn(
    "sh",
    ["-c", 'cat >/dev/null; exec "$@"', "-", ...heal, "lab", "fault", "heal", "--name", lab, id],
    { cwd: "/", detached: true, stdio: ["pipe", "ignore", "ignore"] },
  );
  watcher.on("error", () => undefined);
  watcher.unref();
  (watcher.stdin as unknown as { unref?(): void }).unref?.();
  return () => {
    // The whole group: its `cat` holds our pipe.
    if (watcher.pid !== undefined && watcher.exitCode === null) {
      try {
        process.kill(-watcher.pid, "SIGKILL");
      } catch {
        // Gone already.
      }
    }
  };
}
