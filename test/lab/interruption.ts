import { existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import { labExec } from "../../src/lab/exec";
import type { Interruption } from "../../src/provider/interrupt";
import { until, type LabCluster } from "./lab-cluster";

// Runs of `pulumi up` that a test interrupts at one of their changes.

/** What became of an interrupted run. */
export interface Outcome {
  /** 0 if there was nothing to interrupt. */
  readonly code: number;
  readonly output: string;
  /** The changes that it began, in order: `db1 installing packages`. */
  readonly begun: readonly string[];
  /** Those of them that had come to their end on the host; changes of several hosts may overlap. */
  readonly ended: readonly string[];
}

/**
 * Runs `pulumi up` until it is interrupted. What the README tells to do after a killed engine is done.
 * @param meanwhile what happens to the host whose change is held.
 */
export async function interruptedRun(
  cluster: LabCluster,
  interruption: Interruption,
  {
    options = [],
    meanwhile,
  }: { options?: string[]; meanwhile?: (host: string) => Promise<void> } = {},
): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), "pgherd-steps-"));
  writeFileSync(join(folder, "interruption"), JSON.stringify(interruption));
  const steps = () => {
    const file = join(folder, "steps");
    return existsSync(file) ? readFileSync(file, "utf8").trim().split("\n") : [];
  };
  const running = labExec(
    cluster.lab,
    [
      ...["sh", "-c", '"$@" 2>&1; echo "exit code $?"', "sh"],
      ...cluster.argv("up", "--yes", "--skip-preview", ...options),
    ],
    { env: { PGHERD_TEST_STEPS: folder } },
  );
  if (meanwhile) {
    const awaited = new RegExp(`^${interruption.when === "after" ? "after" : "before"} (.*)$`);
    const held = await until(`a change that is held: ${interruption.step}`, 300, async () =>
      steps()
        .map((line) => awaited.exec(line)?.[1] ?? "")
        .find((step) => new RegExp(interruption.step).test(step)),
    );
    await meanwhile(held.split(" ")[0] as string);
    writeFileSync(join(folder, "go"), "");
  }
  const output = await running;
  if (interruption.how === "engine") {
    await providerEnded(cluster.lab, folder);
    await cluster.pulumi("cancel", "--yes");
  }
  return {
    code: Number(/exit code (\d+)\n$/.exec(output)?.[1]),
    output,
    begun: steps().flatMap((line) => /^before (.*)$/.exec(line)?.[1] ?? []),
    ended: steps().flatMap((line) => /^after (.*)$/.exec(line)?.[1] ?? []),
  };
}

/** A provider whose engine was killed has to end by itself: nobody else would stop it. */
async function providerEnded(lab: string, folder: string): Promise<void> {
  await until("the provider's end", 10, async () => {
    const found = await labExec(lab, [
      ...["sh", "-c", 'grep -lsF "PGHERD_TEST_STEPS=$1" /proc/[0-9]*/environ || :', "sh", folder],
    ]);
    return found.trim() === "" ? true : undefined;
  });
}

/**
 * Runs `pulumi up` again and again, killed once after each change of a host, until a run comes to its end.
 * @returns the changes, in order.
 */
export async function killedAfterEachChange(
  cluster: LabCluster,
  how: "provider" | "engine",
): Promise<string[]> {
  const killed: string[] = [];
  for (;;) {
    const others = killed.map(escaped).join("|");
    const { code, ended, output } = await interruptedRun(
      cluster,
      { how, when: "after", step: `^(?!(${others})$)` },
      { options: ["--parallel", "1"] },
    );
    if (code === 0) return killed;
    // A change of another host that ran at the same time may have ended after the one that was meant.
    const step = ended.find((one) => !killed.includes(one));
    expect(step, `each run goes on beyond the last one; it said ${output}`).toBeDefined();
    killed.push(step ?? "");
  }
}

const escaped = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
