import fs from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { PgherdError } from "../errors";

// A host is the set of processes in its control group: nothing else says so exactly who belongs to it, supervisor, init and
// all, and the kernel never gives a membership to a stranger, as it does with a pid that is free again.

/** A host's control groups: one on a machine with plain v2, one per hierarchy that systemd uses on a hybrid one. */
export function hostCgroups(lab: string, host: string): string[] {
  return hierarchies().map((root) => path.join(root, TOP, lab, host));
}

/** Makes a host's groups: `launcher` for what watches over it, `run` for the container itself. */
export function makeCgroups(groups: readonly string[]): void {
  for (const group of groups)
    for (const part of ["launcher", "run"])
      fs.mkdirSync(path.join(group, part), { recursive: true });
}

/** All processes of a host, as this machine numbers them. */
export function processesOf(groups: readonly string[]): number[] {
  return [...new Set(groups.flatMap(pidsBelow))];
}

/** Whether any process of the host is there. */
export function isPopulated(groups: readonly string[]): boolean {
  return groups.some((group) => pidsBelow(group).length > 0);
}

/**
 * Kills every process of a host at once, as a power cut would, and removes its groups. Gone already is fine.
 * @throws PgherdError when a process is still there after 20 seconds
 */
export async function killCgroups(groups: readonly string[]): Promise<void> {
  const deadline = Date.now() + KILL_TIMEOUT_MS;
  while (groups.some((group) => fs.existsSync(group))) {
    for (const group of groups) killBelow(group);
    for (const group of groups) removeBelow(group);
    if (Date.now() > deadline)
      throw new PgherdError(
        `${groups[0]}: expected to be empty ${KILL_TIMEOUT_MS / 1000} s after SIGKILL, found processes ${groups.flatMap(pidsBelow).join(" ")}.`,
        "One of them hangs inside the kernel, on a frozen or stuck file system perhaps: mend that, then repeat the command.",
      );
    await sleep(POLL_MS);
  }
}

/** Names of the hosts that have groups, whether the lab's state knows them or not. */
export function hostsWithCgroups(lab: string): string[] {
  const names = hierarchies().flatMap((root) => foldersIn(path.join(root, TOP, lab)));
  return [...new Set(names)];
}

/** Removes a lab's own groups once those of its hosts are gone. */
export function removeLabCgroups(lab: string): void {
  for (const root of hierarchies()) {
    removeIfEmpty(path.join(root, TOP, lab));
    removeIfEmpty(path.join(root, TOP));
  }
}

/** Process 1 of a host as this machine numbers it, and when it was started; undefined when the host is off. */
export function initOf(groups: readonly string[]): { pid: number; since: Date } | undefined {
  const inits = groups.map((group) => path.join(group, "run", "payload", "init.scope"));
  const pid = inits.flatMap(pidsBelow).at(0);
  if (pid === undefined) return undefined;
  try {
    return { pid, since: fs.statSync(`/proc/${pid}`).ctime };
  } catch {
    return undefined;
  }
}

const TOP = "pgherd";
const KILL_TIMEOUT_MS = 20_000;
const POLL_MS = 10;

function hierarchies(): string[] {
  if (fs.existsSync("/sys/fs/cgroup/cgroup.controllers")) return ["/sys/fs/cgroup"];
  const found = ["unified", "systemd"]
    .map((name) => path.join("/sys/fs/cgroup", name))
    .filter((root) => fs.existsSync(path.join(root, "cgroup.procs")));
  if (found.length > 0) return found;
  throw new PgherdError(
    "/sys/fs/cgroup: expected control groups (v2, or v1 with a systemd hierarchy), found none.",
    "The lab needs a machine or a container whose /sys/fs/cgroup is mounted and writable.",
  );
}

function pidsBelow(group: string): number[] {
  const own = readLines(path.join(group, "cgroup.procs")).map(Number);
  return [...own, ...foldersIn(group).flatMap((name) => pidsBelow(path.join(group, name)))];
}

function killBelow(group: string): void {
  const file = path.join(group, "cgroup.kill");
  if (fs.existsSync(file)) return fs.writeFileSync(file, "1");
  // Kernels before 5.14, and hierarchies of v1.
  for (const pid of pidsBelow(group)) {
    try {
      process.kill(pid, "SIGKILL");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
  }
}

function removeBelow(group: string): void {
  for (const name of foldersIn(group)) removeBelow(path.join(group, name));
  removeIfEmpty(group);
}

function removeIfEmpty(group: string): void {
  try {
    fs.rmdirSync(group);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "";
    if (!["ENOENT", "EBUSY", "ENOTEMPTY"].includes(code)) throw error;
  }
}

function foldersIn(folder: string): string[] {
  try {
    const entries = fs.readdirSync(folder, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  } catch {
    return []; // Gone in the meantime.
  }
}

function readLines(file: string): string[] {
  try {
    return fs.readFileSync(file, "utf8").split("\n").filter(Boolean);
  } catch {
    return []; // Gone in the meantime.
  }
}
