import fs from "node:fs";
import path from "node:path";
import { PgherdError } from "../errors";
import { hostCgroups, processesOf } from "./cgroup";

// On a hybrid machine systemd's hierarchies tell who belongs to a host; what the kernel can do to processes (freeze them,
// slow down their disk) belongs to other hierarchies, which have groups of their own and know nothing of hosts.

/** A v1 hierarchy, by its controller. */
type Controller = "freezer" | "blkio";

/**
 * Puts all processes of a host into a group of their own below a controller. Returns the group's folder.
 * @throws PgherdError where the kernel has no such controller
 */
export function joinGroup(controller: Controller, lab: string, host: string): string {
  const top = topOf(controller);
  if (!fs.existsSync(top))
    throw new PgherdError(
      `${host}: expected a kernel with the control group controller "${controller}", found none.`,
      "This fault needs cgroup v2 with its controllers, or v1 beside it.",
    );
  const own = groupOf(controller, lab, host);
  fs.mkdirSync(own, { recursive: true });
  moveAll(lab, host, own);
  return own;
}

/** The host's group below a controller; undefined if it is in none. */
export function joinedGroup(controller: Controller, lab: string, host: string): string | undefined {
  const own = groupOf(controller, lab, host);
  return fs.existsSync(own) ? own : undefined;
}

/** Puts the host's processes back where they were. */
export function leaveGroup(controller: Controller, lab: string, host: string): void {
  const own = groupOf(controller, lab, host);
  if (!fs.existsSync(own)) return;
  moveAll(lab, host, topOf(controller));
  for (const group of [own, path.dirname(own), path.dirname(path.dirname(own))])
    removeIfFree(group);
}

function topOf(controller: Controller): string {
  return path.join("/sys/fs/cgroup", controller);
}

function groupOf(controller: Controller, lab: string, host: string): string {
  return path.join(topOf(controller), "pgherd", lab, host);
}

/** What is started meanwhile is where its parent was: so once more, until nobody is missing. */
function moveAll(lab: string, host: string, group: string): void {
  const file = path.join(group, "cgroup.procs");
  for (;;) {
    const there = new Set(fs.readFileSync(file, "utf8").split("\n").map(Number));
    const missing = processesOf(hostCgroups(lab, host)).filter((pid) => !there.has(pid));
    if (missing.length === 0) return;
    for (const pid of missing) {
      try {
        fs.writeFileSync(file, String(pid));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
      }
    }
  }
}

function removeIfFree(group: string): void {
  try {
    fs.rmdirSync(group);
  } catch {
    // Another host's group is below it.
  }
}
