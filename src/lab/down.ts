import fs from "node:fs";
import { PgherdError } from "../errors";
import { hostsWithCgroups, removeLabCgroups } from "./cgroup";
import { refuseForeign, releaseName } from "./claim";
import { killHost } from "./launch";
import { withLabLock } from "./lock";
import { processesInNetwork, removeNetwork } from "./network";
import { labPaths, type LabPaths } from "./paths";
import { SILENT, type Progress } from "./progress";
import { requireRights } from "./rights";
import { run } from "./run";

/** Ends a lab in whatever condition it is, and deletes all of it: hosts, disks, keys, Pulumi's state. Gone already is fine. */
export async function down(name: string, progress: Progress = SILENT): Promise<void> {
  requireRights();
  const paths = labPaths(name);
  await withLabLock(paths, "down", async () => {
    refuseForeign(paths);
    const there = fs.existsSync(paths.dir) || fs.existsSync(paths.claim);
    const left = await clearAway(name, paths);
    progress(undefined, there ? "gone, with its disks and its state" : "there is no such lab");
    if (left.length > 0)
      progress(undefined, `commands that still run in what was its network: ${left.join(", ")}`);
  });
}

/** Removes all that there may be of a lab. Returns commands of others that still run in its network. */
export async function clearAway(name: string, paths: LabPaths): Promise<string[]> {
  const hosts = new Set([...hostsWithCgroups(name), ...foldersIn(paths.hosts)]);
  await Promise.all([...hosts].map((host) => killHost(paths, name, host)));
  removeLabCgroups(name);
  const left = processesInNetwork(paths).map(({ pid, command }) => `${command} (pid ${pid})`);
  await removeNetwork(paths);
  await removeFolder(paths.dir);
  releaseName(paths);
  return left;
}

function foldersIn(folder: string): string[] {
  return fs.existsSync(folder) ? fs.readdirSync(folder) : [];
}

/** By the system's own `rm`, which is quicker with the tens of thousands of files of a few disks. */
async function removeFolder(folder: string): Promise<void> {
  // A disk that a fault test left something mounted in must not be emptied through that mount.
  const mounted = fs
    .readFileSync("/proc/self/mounts", "utf8")
    .split("\n")
    .map((line) => line.split(" ")[1] ?? "")
    .filter((target) => target.startsWith(`${folder}/`));
  if (mounted.length > 0)
    throw new PgherdError(
      `${folder}: expected nothing to be mounted below it, found ${mounted.join(" ")}.`,
      "Unmount that, then repeat the command.",
    );
  await run(["rm", "-rf", "--one-file-system", "--", folder]);
}
