import { bootHosts } from "./boot";
import { withLabLock } from "./lock";
import { labPaths } from "./paths";
import { requireNetwork } from "./power";
import { SILENT, type Progress } from "./progress";
import { giveToLabUser, requireRights } from "./rights";
import { writeSshFiles } from "./ssh-config";
import { requireState, writeState, type LabHost } from "./state";
import { extraHost } from "./topology";
import { describeHost } from "./up";

/**
 * Boots one more blank host in a lab: a replacement, a new member, a stranger. It stays until `lab down`.
 * @param octet last octet of its address @default 200
 * @throws PgherdError when name or address are taken
 */
export async function addHost(
  name: string,
  host: string,
  octet?: number,
  progress: Progress = SILENT,
): Promise<LabHost> {
  requireRights();
  const paths = labPaths(name);
  return withLabLock(paths, "add host", async () => {
    const state = requireState(name, paths);
    await requireNetwork(paths, name);
    const added = await describeHost(paths, extraHost(host, state.hosts, octet));
    const extended = { ...state, hosts: [...state.hosts, added] };
    writeState(paths, extended);
    writeSshFiles(paths, extended);
    giveToLabUser(paths.dir, paths.hosts);
    await bootHosts(paths, extended, [host], progress);
    return added;
  });
}
