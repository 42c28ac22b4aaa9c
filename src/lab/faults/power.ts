import { powerOff, powerOn } from "../power";
import type { Fault } from "./fault";
import { inside } from "./inside";

export interface Hosts {
  /** `["db1"]` */
  readonly hosts: readonly string[];
}

/** Hosts lose power: all their processes are killed at once, what they have told their disks stays. */
export const power: Fault<Hosts> = {
  describe: ({ hosts }) => `${hosts.join(", ")} without power`,
  hosts: ({ hosts }) => hosts,
  inflict: ({ name }, { hosts }) => powerOff(name, hosts),
  heal: ({ name }, { hosts }) => powerOn(name, hosts),
};

/** Hosts are shut down in order, and start again by themselves. */
export const reboot: Fault<Hosts> = {
  describe: ({ hosts }) => `${hosts.join(", ")} restarting`,
  hosts: ({ hosts }) => hosts,
  async inflict({ name }, { hosts }) {
    await Promise.all(hosts.map((host) => inside(name, host, "systemctl reboot")));
  },
  heal: ({ name }, { hosts }) => powerOn(name, hosts),
};
