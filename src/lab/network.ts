import fs from "node:fs";
import path from "node:path";
import type { LabPaths } from "./paths";
import { run, tryRun } from "./run";
import { CONTROLLER, PREFIX_LENGTH, PREFIX_LENGTH6 } from "./topology";

/** The bridge that joins a lab's hosts, inside its network namespace. */
export const BRIDGE = "br0";

/** The lab's end of a host's cable, e.g. to set it down or to drop packets on. */
export function hostLink(host: string): string {
  return `vb-${host}`;
}

/** Whether the lab's network namespace is there. */
export async function networkExists(paths: LabPaths): Promise<boolean> {
  if (!fs.existsSync(paths.netns)) return false;
  // A killed `ip netns add` leaves a file that is no namespace.
  return (await tryRun(["nsenter", `--net=${paths.netns}`, "true"])).code === 0;
}

/** Makes the lab's network namespace with its bridge and no route out, or completes a half-made one. */
export async function ensureNetwork(paths: LabPaths): Promise<void> {
  const name = path.basename(paths.netns);
  if (!(await networkExists(paths))) {
    await removeNetwork(paths);
    await run(["ip", "netns", "add", name]);
  }
  const ip = (...args: string[]) => run(["ip", "-n", name, ...args]);
  if ((await tryRun(["ip", "-n", name, "link", "show", BRIDGE])).code !== 0)
    await ip("link", "add", BRIDGE, "type", "bridge", "stp_state", "0", "mcast_snooping", "0");
  await ip("address", "replace", `${CONTROLLER.address}/${PREFIX_LENGTH}`, "dev", BRIDGE);
  // Without "nodad" the address could not be used for its first second.
  const address6 = `${CONTROLLER.address6}/${PREFIX_LENGTH6}`;
  await ip("address", "replace", address6, "dev", BRIDGE, "nodad");
  await ip("link", "set", "lo", "up");
  await ip("link", "set", BRIDGE, "up");
}

/** Removes the lab's network namespace. Gone already is fine. */
export async function removeNetwork(paths: LabPaths): Promise<void> {
  if (!fs.existsSync(paths.netns)) return;
  const { code, stderr } = await tryRun(["ip", "netns", "delete", path.basename(paths.netns)]);
  if (code !== 0 && fs.existsSync(paths.netns))
    await run(["rm", "--", paths.netns]).catch((error: Error) => {
      throw new Error(`${error.message}\n${stderr}`);
    });
}

/** Unplugs a dead host at once: the kernel itself takes its time, and the next start needs the name. */
export async function removeHostLink(paths: LabPaths, host: string): Promise<void> {
  await tryRun(["ip", "-n", path.basename(paths.netns), "link", "delete", hostLink(host)]);
}

/** Processes of this machine that are still in the lab's network, e.g. left there by `lab exec`. */
export function processesInNetwork(paths: LabPaths): { pid: number; command: string }[] {
  const wanted = inode(paths.netns);
  if (wanted === undefined) return [];
  return fs
    .readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry) && inode(`/proc/${entry}/ns/net`) === wanted)
    .map((entry) => ({ pid: Number(entry), command: commandOf(entry) }));
}

function inode(file: string): number | undefined {
  try {
    return fs.statSync(file).ino;
  } catch {
    return undefined;
  }
}

function commandOf(pid: string): string {
  try {
    return fs.readFileSync(`/proc/${pid}/comm`, "utf8").trim();
  } catch {
    return "?";
  }
}
