import fs from "node:fs";
import path from "node:path";
import { PgherdError } from "../errors";
import { bootHosts, isUp } from "./boot";
import { claimName, refuseForeign } from "./claim";
import { clearAway } from "./down";
import type { DataFileSystem } from "./data-disk";
import { ensureDeployKey, ensureIdentity } from "./identity";
import { withLabLock } from "./lock";
import { ensureNetwork, networkExists } from "./network";
import { distroLink, hostPaths, labPaths, type LabPaths } from "./paths";
import { SILENT, type Progress } from "./progress";
import { giveToLabUser, requireRights } from "./rights";
import { writeSshFiles } from "./ssh-config";
import { nameOption, readState, writeState, type LabHost, type LabState } from "./state";
import { DEFAULT_TOPOLOGY, DISTROS, hostsOf, type Distro, type Topology } from "./topology";

export interface UpOptions {
  /** @default what the lab already has, else `standard` */
  readonly topology?: Topology;
  /** @default what the lab already has, else `trixie` */
  readonly distro?: Distro;
  /**
   * File system of a disk of their own that the database hosts keep their data on.
   * @default what the lab already has, else none: the data lies with all else of the host
   */
  readonly dataFs?: DataFileSystem;
  readonly progress?: Progress;
}

/**
 * Makes a lab and boots its hosts, or completes one that is half there: hosts that died are started again, with their
 * disks. Does nothing when all is up.
 * @throws PgherdError when the lab exists with another topology or distribution, or a host does not come up
 */
export async function up(name: string, options: UpOptions = {}): Promise<LabState> {
  requireRights();
  const paths = labPaths(name);
  const progress = options.progress ?? SILENT;
  return withLabLock(paths, "up", async () => {
    const state = existing(paths, options) ?? (await make(name, paths, options, progress));
    const names = state.hosts.map((host) => host.name);
    if ((await networkExists(paths)) && names.every((host) => isUp(paths, name, host))) {
      progress(undefined, "all hosts are up already");
      return state;
    }
    if (!fs.existsSync(state.trees))
      throw new PgherdError(
        `lab "${name}": the base tree it stands on is gone (${state.trees}).`,
        `Run: pgherd lab down${nameOption(name)}, then pgherd lab up${nameOption(name)}`,
      );
    claimName(paths, state.trees);
    await ensureNetwork(paths);
    raiseInotifyLimit();
    writeSshFiles(paths, state);
    giveToLabUser(paths.dir, paths.hosts);
    await bootHosts(paths, state, names, progress);
    return state;
  });
}

/** Adds a host to a lab's state, with an identity of its own. */
export async function describeHost(
  paths: LabPaths,
  host: Omit<LabHost, "hostKey">,
): Promise<LabHost> {
  const deployKey = await ensureDeployKey(paths);
  return { ...host, hostKey: await ensureIdentity(hostPaths(paths, host.name), host, deployKey) };
}

function existing(paths: LabPaths, options: UpOptions): LabState | undefined {
  const state = readState(paths);
  if (!state) return undefined;
  const wanted = { ...state, ...given(options) };
  if (describe(wanted) === describe(state)) return state;
  throw new PgherdError(
    `lab "${state.name}": expected ${describe(wanted)}, found ${describe(state)}.`,
    `Run "pgherd lab down${nameOption(state.name)}" first, or take another --name for a lab beside it.`,
  );
}

/** What was said, without what was left out. */
function given({ topology, distro, dataFs }: UpOptions): Partial<LabState> {
  return { ...(topology && { topology }), ...(distro && { distro }), ...(dataFs && { dataFs }) };
}

function describe({ topology, distro, dataFs }: LabState): string {
  return `topology ${topology} on ${distro}${dataFs ? `, data on ${dataFs}` : ""}`;
}

async function make(
  name: string,
  paths: LabPaths,
  options: UpOptions,
  progress: Progress,
): Promise<LabState> {
  const { topology = DEFAULT_TOPOLOGY, distro = DISTROS[0], dataFs } = options;
  const trees = currentTrees(distro);
  refuseForeign(paths);
  // What a run left that was killed before it wrote down what it was about to make.
  await clearAway(name, paths);
  claimName(paths, trees);
  fs.mkdirSync(path.join(paths.dir, "ready"), { recursive: true });
  for (const folder of [paths.hosts, paths.pulumi]) fs.mkdirSync(folder, { mode: 0o700 });
  await ensureDeployKey(paths);
  const hosts = await Promise.all(hostsOf(topology).map((host) => describeHost(paths, host)));
  const createdAt = new Date().toISOString();
  const state: LabState = { version: 1, name, topology, distro, dataFs, trees, createdAt, hosts };
  writeState(paths, state);
  progress(undefined, `${topology} on Debian ${distro}: ${hosts.length} hosts in ${paths.dir}`);
  return state;
}

function currentTrees(distro: Distro): string {
  try {
    return fs.realpathSync(distroLink(distro));
  } catch {
    throw new PgherdError(
      `The base tree for Debian ${distro} is not there (${distroLink(distro)}).`,
      "Run tools/setup, which makes it.",
    );
  }
}

/** All hosts' root users count as one for inotify, and every systemd takes a handful of the 128 that are usual. */
function raiseInotifyLimit(): void {
  const file = "/proc/sys/fs/inotify/max_user_instances";
  const wanted = 2048;
  if (Number(fs.readFileSync(file, "utf8")) < wanted) fs.writeFileSync(file, `${wanted}\n`);
}
