import os from "node:os";
import path from "node:path";
import { PgherdError } from "../errors";
import type { Distro } from "./topology";

/** Where everything of one lab lies. */
export interface LabPaths {
  /** The lab's folder, e.g. `~/.local/state/pgherd/labs/lab`; `lab down` deletes it. */
  readonly dir: string;
  readonly state: string;
  /** Private key of the hosts' `deploy` user. */
  readonly key: string;
  readonly knownHosts: string;
  readonly sshConfig: string;
  /** State backend that `lab exec` gives to Pulumi. */
  readonly pulumi: string;
  /** One folder per host: disk, identity, console. Only root may look inside. */
  readonly hosts: string;
  /** Network namespace. */
  readonly netns: string;
  /** Says which folder a running lab belongs to, and which base tree it stands on; gone after a restart of the machine. */
  readonly claim: string;
  readonly lock: string;
}

/** Where everything of one host of a lab lies. */
export interface HostPaths {
  readonly dir: string;
  /** What was ever written on the host: the overlay's upper layer. Without it the host is blank. */
  readonly disk: string;
  readonly work: string;
  /** Mount point of the host's root file system, visible to the host's own processes only. */
  readonly root: string;
  /** Name, address, machine-id and SSH keys: a layer below the disk, so that a blank host keeps them. */
  readonly identity: string;
  /** The disk that a database host keeps its data on, as an image, in a lab that was made with one. */
  readonly dataImage: string;
  /** Where that is mounted, visible to the host's own processes only. */
  readonly dataMount: string;
  /** What the host wrote to its console since its last start. */
  readonly console: string;
  readonly launchLock: string;
  /** There when the host has answered since its last start. */
  readonly ready: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Base trees, APT repositories, toolchain: whatever can be had again by running tools/setup. */
export function cacheDir(env: Environment = process.env): string {
  const home = env["XDG_CACHE_HOME"] || path.join(env["HOME"] || os.homedir(), ".cache");
  return env["PGHERD_CACHE"] || path.join(home, "pgherd");
}

/** Folder that holds one folder per lab. */
export function labsDir(env: Environment = process.env): string {
  const home = env["XDG_STATE_HOME"] || path.join(env["HOME"] || os.homedir(), ".local", "state");
  return path.join(home, "pgherd", "labs");
}

/** Link to the current base tree and repository of a distribution, made by tools/setup-lab. */
export function distroLink(distro: Distro, env: Environment = process.env): string {
  return path.join(cacheDir(env), "lab", distro);
}

/** Folder of the claims of running labs. */
export const CLAIMS = "/run/pgherd/labs";

/** @throws PgherdError when the name cannot name a lab */
export function labPaths(name: string, env: Environment = process.env): LabPaths {
  if (!/^[a-z][a-z0-9-]{0,30}$/.test(name))
    throw new PgherdError(
      `lab name: expected 1 to 31 lower-case letters, digits or "-", a letter first, got "${name}".`,
    );
  const dir = path.join(labsDir(env), name);
  return {
    dir,
    state: path.join(dir, "state.json"),
    key: path.join(dir, "id_ed25519"),
    knownHosts: path.join(dir, "known_hosts"),
    sshConfig: path.join(dir, "ssh_config"),
    pulumi: path.join(dir, "pulumi"),
    hosts: path.join(dir, "hosts"),
    netns: path.join("/run/netns", name),
    claim: path.join(CLAIMS, `${name}.json`),
    lock: path.join("/run/pgherd", `${name}.lock`),
  };
}

export function hostPaths(lab: LabPaths, host: string): HostPaths {
  const dir = path.join(lab.hosts, host);
  return {
    dir,
    disk: path.join(dir, "disk"),
    work: path.join(dir, "work"),
    root: path.join(dir, "root"),
    identity: path.join(dir, "identity"),
    dataImage: path.join(dir, "data.img"),
    dataMount: path.join(dir, "data"),
    console: path.join(dir, "console.log"),
    launchLock: path.join(dir, "launch.lock"),
    ready: path.join(lab.dir, "ready", host),
  };
}
