import type { LabPaths } from "./paths";
import { writeWhole, type LabHost, type LabState } from "./state";
import { ADDRESS_PATTERNS } from "./topology";

/** Writes both files that SSH clients need to reach the lab's hosts. */
export function writeSshFiles(paths: LabPaths, state: LabState): void {
  writeWhole(paths.knownHosts, renderKnownHosts(state.hosts));
  writeWhole(paths.sshConfig, renderSshConfig(paths, state.hosts));
}

/** The ssh_config of a lab: its hosts by name and by address, as `deploy`, with known host keys only. */
export function renderSshConfig(
  paths: Pick<LabPaths, "key" | "knownHosts">,
  hosts: readonly LabHost[],
): string {
  const names = hosts.map((host) => `Host ${host.name}\n  HostName ${host.address}\n`);
  return `${names.join("")}Host ${[...hosts.map((host) => host.name), ...ADDRESS_PATTERNS].join(" ")}
  User deploy
  IdentityFile "${paths.key}"
  IdentitiesOnly yes
  UserKnownHostsFile "${paths.knownHosts}"
  GlobalKnownHostsFile /dev/null
  StrictHostKeyChecking yes
  UpdateHostKeys no
`;
}

/** The known_hosts of a lab: each host's key under its name and both its addresses. */
export function renderKnownHosts(hosts: readonly LabHost[]): string {
  return hosts
    .map((host) => `${host.name},${host.address},${host.address6} ${host.hostKey}\n`)
    .join("");
}
