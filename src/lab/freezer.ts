import fs from "node:fs";
import path from "node:path";
import { hostCgroups } from "./cgroup";
import { joinedGroup, joinGroup, leaveGroup } from "./cgroup-v1";

/** Stops every process of a host at once, until it is thawed. @throws PgherdError where the kernel cannot */
export function freezeHost(lab: string, host: string): void {
  const switches = switchesOf(lab, host);
  // Plain v2 has it built in.
  if (switches.length > 0) return switches.forEach((file) => fs.writeFileSync(file, "1"));
  fs.writeFileSync(path.join(joinGroup("freezer", lab, host), "freezer.state"), "FROZEN");
}

/** Lets a frozen host go on. One that is not frozen, or off, is fine. */
export function thawHost(lab: string, host: string): void {
  for (const file of switchesOf(lab, host)) fs.writeFileSync(file, "0");
  const group = joinedGroup("freezer", lab, host);
  if (group === undefined) return;
  fs.writeFileSync(path.join(group, "freezer.state"), "THAWED");
  leaveGroup("freezer", lab, host);
}

function switchesOf(lab: string, host: string): string[] {
  return hostCgroups(lab, host)
    .map((group) => path.join(group, "run", "cgroup.freeze"))
    .filter((file) => fs.existsSync(file));
}
