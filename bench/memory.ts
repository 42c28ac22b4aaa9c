import { readdirSync, readFileSync } from "node:fs";
import { LAB } from "./sizes";

const INTERVAL_MS = 50;

/**
 * Watches pgherd's provider while some work lasts.
 * @returns the most memory that it ever held, in bytes (proc(5), VmHWM); 0 where none was seen.
 */
export async function peakMemory(work: () => Promise<unknown>): Promise<number> {
  let peak = 0;
  const timer = setInterval(
    () => (peak = Math.max(peak, ...providers().map(heldMost))),
    INTERVAL_MS,
  );
  try {
    await work();
  } finally {
    clearInterval(timer);
  }
  return peak;
}

/** Process ids of the providers of this lab's stacks. */
function providers(): string[] {
  return readdirSync("/proc").filter(
    (pid) =>
      /^\d+$/.test(pid) &&
      read(pid, "cmdline").includes("pulumi-resource-pgherd") &&
      read(pid, "environ").split("\0").includes(`PGHERD_LAB=${LAB}`),
  );
}

function heldMost(pid: string): number {
  return 1024 * Number(/^VmHWM:\s+(\d+) kB$/m.exec(read(pid, "status"))?.[1] ?? 0);
}

/** Empty for a process that has ended. */
function read(pid: string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return "";
  }
}
