import { spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { PgherdError } from "../errors";
import type { LabPaths } from "./paths";

/**
 * Runs an action while no other command changes the same lab. The lock is the kernel's: it goes with this process, however
 * that ends.
 * @param waitSeconds how long to wait for another command to end
 * @throws PgherdError when another one is still at work then
 */
export async function withLabLock<T>(
  paths: LabPaths,
  purpose: string,
  action: () => Promise<T>,
  waitSeconds = 0,
): Promise<T> {
  fs.mkdirSync(path.dirname(paths.lock), { recursive: true });
  // `flock` holds the lock until `cat` meets the end of the pipe from us. "detached": a Ctrl-C is for us alone.
  const holder = spawn(
    "flock",
    [
      ...(waitSeconds > 0 ? ["--timeout", String(waitSeconds)] : ["--nonblock"]),
      ...[paths.lock, "sh", "-c", 'echo "$1" >"$2" && echo held && exec cat >/dev/null', "-"],
      ...[`pid ${process.pid}, lab ${purpose}`, paths.lock],
    ],
    { detached: true, stdio: ["pipe", "pipe", "inherit"] },
  );
  const held = await new Promise<boolean>((resolve, reject) => {
    holder.on("error", reject);
    holder.stdout.once("data", () => resolve(true));
    holder.once("exit", () => resolve(false));
  });
  if (!held)
    throw new PgherdError(
      `lab "${path.basename(paths.dir)}": another command is at work on it (${fs.readFileSync(paths.lock, "utf8").trim()}).`,
      "Wait until it ends, then repeat this one.",
    );
  try {
    return await action();
  } finally {
    const released = new Promise((resolve) => holder.once("close", resolve));
    holder.stdin.end();
    if (holder.exitCode === null && holder.signalCode === null) await released;
  }
}
