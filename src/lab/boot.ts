import fs from "node:fs";
import os from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { PgherdError } from "../errors";
import { hostCgroups, isPopulated } from "./cgroup";
import { ensureDataDisk } from "./data-disk";
import { killHost, launchHost } from "./launch";
import { hostPaths, type LabPaths } from "./paths";
import type { Progress } from "./progress";
import { tryRun } from "./run";
import type { LabState } from "./state";

/**
 * Boots those of the hosts that are not up, several at once, and waits until each of them answers.
 * @throws PgherdError naming every host that did not come up
 */
export async function bootHosts(
  paths: LabPaths,
  state: LabState,
  hosts: readonly string[],
  progress: Progress,
): Promise<void> {
  const queue = hosts.filter((host) => !isUp(paths, state.name, host));
  const failures: string[] = [];
  const worker = async () => {
    for (let host = queue.shift(); host !== undefined; host = queue.shift())
      await bootHost(paths, state, host, progress).catch((error: Error) =>
        failures.push(error.message),
      );
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
  if (failures.length > 0) throw new PgherdError(failures.join("\n"));
}

/** Whether a host runs and has answered since it was started. */
export function isUp(paths: LabPaths, lab: string, host: string): boolean {
  return fs.existsSync(hostPaths(paths, host).ready) && isPopulated(hostCgroups(lab, host));
}

const CONCURRENCY = Math.max(3, os.availableParallelism());
const BOOT_TIMEOUT_MS = 180_000;
const POLL_MS = 150;
// Now and then the kernel refuses "Failed to chown() cgroup" when many start at once; the second start works.
const ATTEMPTS = 2;

async function bootHost(
  paths: LabPaths,
  state: LabState,
  host: string,
  progress: Progress,
): Promise<void> {
  const started = Date.now();
  await ensureDataDisk(paths, state, host);
  for (let attempt = 1; ; attempt++) {
    const running = isPopulated(hostCgroups(state.name, host));
    const ended = running ? undefined : launchHost(paths, state, host).ended;
    const failure = await waitUntilReady(paths, host, ended, progress);
    if (failure === undefined) break;
    await killHost(paths, state.name, host);
    if (attempt === ATTEMPTS)
      throw new PgherdError(
        `${host}: ${failure}`,
        `Its console: ${hostPaths(paths, host).console}`,
      );
    progress(host, `starting it once more: ${failure.split("\n").at(-1)?.trim()}`);
  }
  fs.writeFileSync(hostPaths(paths, host).ready, "");
  const address = state.hosts.find((other) => other.name === host)?.address;
  progress(host, `up at ${address} after ${((Date.now() - started) / 1000).toFixed(1)} s`);
}

/** Returns what went wrong, or undefined once sshd lets us in with the known host key and systemd has finished booting. */
async function waitUntilReady(
  paths: LabPaths,
  host: string,
  ended: Promise<string> | undefined,
  progress: Progress,
): Promise<string | undefined> {
  const deadline = Date.now() + BOOT_TIMEOUT_MS;
  let end: string | undefined;
  void ended?.then((text) => (end = text));
  let lastAnswer = "";
  while (Date.now() < deadline) {
    if (end !== undefined) return `expected to boot, but ended:\n${end}`;
    const answer = await tryRun(
      [
        ...["nsenter", `--net=${paths.netns}`, "ssh", "-F", paths.sshConfig],
        ...["-o", "ConnectTimeout=2", "-o", "BatchMode=yes", host, SETTLED],
      ],
      { timeoutMs: BOOT_TIMEOUT_MS },
    );
    const [status = "", ...units] = answer.stdout.trim().split("\n");
    if (status === "running") return undefined;
    if (status === "degraded") {
      progress(host, `systemd is degraded: ${units.join(" ")}`);
      return undefined;
    }
    lastAnswer = answer.stdout.trim() || answer.stderr.trim();
    await sleep(POLL_MS);
  }
  return `expected to answer by SSH within ${BOOT_TIMEOUT_MS / 1000} s, last heard: ${lastAnswer}`;
}

const SETTLED =
  "systemctl is-system-running --wait || systemctl list-units --state=failed --plain --no-legend | cut -d' ' -f1";
