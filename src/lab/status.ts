import fs from "node:fs";
import { isUp } from "./boot";
import { hostCgroups, initOf, isPopulated } from "./cgroup";
import { labPaths, labsDir } from "./paths";
import { requireState, type LabHost, type LabState } from "./state";

interface HostStatus extends LabHost {
  /** `booting` also stands for a host whose start was cut off; `lab up` completes it. */
  readonly state: "up" | "booting" | "off";
  /** Process 1 of the host, as this machine numbers it; null when it is off. */
  readonly pid: number | null;
  /** When that was started, ISO 8601. */
  readonly since: string | null;
}

export interface LabStatus extends Omit<LabState, "hosts"> {
  readonly dir: string;
  readonly netns: string;
  readonly sshConfig: string;
  readonly hosts: readonly HostStatus[];
}

/** What a lab is and which of its hosts run. Takes no rights. */
export function labStatus(name: string): LabStatus {
  const paths = labPaths(name);
  const { hosts, ...state } = requireState(name, paths);
  const { dir, netns, sshConfig } = paths;
  const observe = (host: LabHost): HostStatus => {
    const groups = hostCgroups(name, host.name);
    const init = initOf(groups);
    const running = isPopulated(groups) ? "booting" : "off";
    return {
      ...host,
      state: isUp(paths, name, host.name) ? "up" : running,
      pid: init?.pid ?? null,
      since: init?.since.toISOString() ?? null,
    };
  };
  return { ...state, dir, netns, sshConfig, hosts: hosts.map(observe) };
}

/** Names of all labs of this user. */
export function labNames(): string[] {
  return fs.existsSync(labsDir()) ? fs.readdirSync(labsDir()).sort() : [];
}
