import { spawn, type ChildProcessByStdio } from "node:child_process";
import path from "node:path";
import type { Readable, Writable } from "node:stream";
import { cacheDir, labPaths, type LabPaths } from "./paths";
import { requireHosts, requireNetwork } from "./power";
import { asLabUser, requireRights } from "./rights";
import { run, runAttached, type RunOptions } from "./run";
import { requireState } from "./state";

/**
 * Runs a command of this machine in the lab's network and returns its standard output.
 * @throws PgherdError with the end of its standard error, when its exit code is not 0
 */
export async function labExec(
  name: string,
  argv: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  const paths = await enterable(name);
  const env = labEnvironment(name, paths, { ...process.env, ...options.env });
  return run([...enter(paths), ...argv], { ...options, env });
}

/** Runs a shell command on one of the lab's hosts, as `deploy`, and returns its standard output. */
export function hostExec(
  name: string,
  host: string,
  command: string,
  options: RunOptions = {},
): Promise<string> {
  const config = labPaths(name).sshConfig;
  return labExec(name, ["ssh", "-F", config, "-o", "BatchMode=yes", host, command], options);
}

/** Like `labExec`, with this process's terminal and signals. Returns the command's exit code. */
export async function labExecAttached(name: string, argv: readonly string[]): Promise<number> {
  const paths = await enterable(name);
  return runAttached([...enter(paths), ...argv], labEnvironment(name, paths, process.env));
}

/**
 * Starts a command of this machine in the lab's network, to speak with while it runs. It hears of a Ctrl-C only from its
 * starter.
 */
export function labExecSpawn(
  name: string,
  argv: readonly string[],
): ChildProcessByStdio<Writable, Readable, null> {
  requireRights();
  const paths = labPaths(name);
  const [program = "", ...args] = [...enter(paths), ...argv];
  const env = labEnvironment(name, paths, process.env);
  return spawn(program, args, { env, detached: true, stdio: ["pipe", "pipe", "inherit"] });
}

/** Opens a session on a host, or runs a command there, with this process's terminal. Returns its exit code. */
export async function labSsh(
  name: string,
  host: string,
  command: readonly string[],
): Promise<number> {
  const paths = labPaths(name);
  requireHosts(requireState(name, paths), [host]);
  return labExecAttached(name, ["ssh", "-F", paths.sshConfig, host, ...command]);
}

/** What commands in the lab find in their environment: the toolchain, the lab's SSH config, a Pulumi backend of its own. */
export function labEnvironment(
  name: string,
  paths: LabPaths,
  env: NodeJS.ProcessEnv,
): NodeJS.ProcessEnv {
  const passphraseGiven = env["PULUMI_CONFIG_PASSPHRASE_FILE"] !== undefined;
  return {
    PULUMI_BACKEND_URL: `file://${paths.pulumi}`,
    ...(passphraseGiven ? {} : { PULUMI_CONFIG_PASSPHRASE: PASSPHRASE }),
    PULUMI_SKIP_UPDATE_CHECK: "true",
    ...env,
    PGHERD_LAB: name,
    PGHERD_SSH_CONFIG: paths.sshConfig,
    PATH: [path.join(cacheDir(env), "bin"), env["PATH"]].filter(Boolean).join(path.delimiter),
  };
}

async function enterable(name: string): Promise<LabPaths> {
  requireRights();
  const paths = labPaths(name);
  requireState(name, paths);
  await requireNetwork(paths, name);
  return paths;
}

function enter(paths: LabPaths): string[] {
  return ["nsenter", `--net=${paths.netns}`, "--", ...asLabUser()];
}

/** Fixed, as the salt of `stacks/Pulumi.lab.yaml` is: what is in a lab is worth no secret. */
const PASSPHRASE = "lab";
