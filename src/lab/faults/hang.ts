import { freezeHost, thawHost } from "../freezer";
import type { Fault } from "./fault";
import type { Hosts } from "./power";

/** Hosts stand still: nothing on them runs, nothing answers, and nothing is lost; then they go on as if nothing had been. */
export const hang: Fault<Hosts> = {
  describe: ({ hosts }) => `${hosts.join(", ")} hanging`,
  hosts: ({ hosts }) => hosts,
  async inflict({ name }, { hosts }) {
    for (const host of hosts) freezeHost(name, host);
  },
  async heal({ name }, { hosts }) {
    for (const host of hosts) thawHost(name, host);
  },
};
