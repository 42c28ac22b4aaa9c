import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { labExecSpawn } from "../../../src/lab/exec";
import { packageRoot } from "../../../src/package-root";
import type { LabCluster } from "../lab-cluster";

/** Longer than a host waits for a sign of life (src/host/lock.ts). */
const SLEEP_SECONDS = 35;

/** The operator's machine sleeps in the middle of a run. */
export function halfway(cluster: LabCluster): void {
  test("a run that slept while another one had the host's lock ends before its next change", async () => {
    const file = "/run/pgherd-test-sleeper";
    const sleeper = labExecSpawn(cluster.lab, [
      ...[process.execPath, join(packageRoot(), "test/lab/run.cjs"), "sleeper", "db1", file],
    ]);
    let said = "";
    sleeper.stdout.on("data", (chunk: Buffer) => (said += chunk.toString()));
    const ended = new Promise((resolve) => sleeper.on("close", resolve));
    let pid = 0;
    try {
      await expect.poll(() => said, { timeout: 180_000 }).toMatch(/^first \d+\n/);
      pid = Number(/\d+/.exec(said)?.[0]);
      process.kill(pid, "SIGSTOP");
      await sleep(SLEEP_SECONDS * 1000);
      // The host has given the lock up by then: another run gets it, and lets it go.
      await cluster.pgherd("reload", "db1");
    } finally {
      if (pid > 0) process.kill(pid, "SIGCONT");
      sleeper.stdin.end();
    }
    await ended;
    expect(said).toContain("db1: this run has lost the host's lock");
    const left = await cluster.onHost("db1", `ls ${file}.*; sudo rm -f ${file}.*`);
    expect(left.trim()).toBe(`${file}.first`);
  });
}
