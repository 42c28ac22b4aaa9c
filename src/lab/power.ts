import { PgherdError } from "../errors";
import { bootHosts } from "./boot";
import { killHost, wipeHost } from "./launch";
import { withLabLock } from "./lock";
import { networkExists } from "./network";
import { labPaths, type LabPaths } from "./paths";
import { SILENT, type Progress } from "./progress";
import { requireRights } from "./rights";
import { nameOption, requireState, type LabState } from "./state";

/** Cuts the power of hosts: SIGKILL for all their processes at once, and they are gone on return. Their disks stay. */
export async function powerOff(
  name: string,
  hosts: readonly string[],
  progress: Progress = SILENT,
): Promise<void> {
  await change(name, "power off", hosts, async (paths) => {
    await Promise.all(
      hosts.map(async (host) => {
        await killHost(paths, name, host);
        progress(host, "off");
      }),
    );
  });
}

/** Starts hosts that are off, several at once, from the disks they have. Returns when they answer. */
export async function powerOn(
  name: string,
  hosts: readonly string[],
  progress: Progress = SILENT,
): Promise<void> {
  await change(name, "power on", hosts, async (paths, state) => {
    await requireNetwork(paths, name);
    await bootHosts(paths, state, hosts, progress);
  });
}

/** Makes hosts blank again: same name, address, machine-id and SSH host key, and nothing else of what they were. */
export async function reset(
  name: string,
  hosts: readonly string[] = [],
  progress: Progress = SILENT,
): Promise<void> {
  await change(name, "reset", hosts, async (paths, state) => {
    await requireNetwork(paths, name);
    const chosen = hosts.length > 0 ? hosts : state.hosts.map((host) => host.name);
    await Promise.all(
      chosen.map(async (host) => {
        await killHost(paths, name, host);
        wipeHost(paths, host);
      }),
    );
    await bootHosts(paths, state, chosen, progress);
  });
}

/** @throws PgherdError when the lab has no network: never started since the machine was */
export async function requireNetwork(paths: LabPaths, name: string): Promise<void> {
  if (await networkExists(paths)) return;
  throw new PgherdError(
    `lab "${name}": it is not running.`,
    `Run: pgherd lab up${nameOption(name)}`,
  );
}

/** @throws PgherdError when the lab has no such host */
export function requireHosts(state: LabState, hosts: readonly string[]): void {
  const known = state.hosts.map((host) => host.name);
  const unknown = hosts.filter((host) => !known.includes(host));
  if (unknown.length > 0)
    throw new PgherdError(
      `lab "${state.name}": it has no host ${unknown.map((host) => `"${host}"`).join(", ")}; its hosts are ${known.join(" ")}.`,
    );
}

// Long enough for another host's boot: scenarios switch several hosts at the same time.
const WAIT_SECONDS = 120;

async function change(
  name: string,
  purpose: string,
  hosts: readonly string[],
  action: (paths: LabPaths, state: LabState) => Promise<void>,
): Promise<void> {
  requireRights();
  const paths = labPaths(name);
  const guarded = async () => {
    const state = requireState(name, paths);
    requireHosts(state, hosts);
    await action(paths, state);
  };
  await withLabLock(paths, purpose, guarded, WAIT_SECONDS);
}
