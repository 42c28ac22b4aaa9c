import { spawn } from "node:child_process";
import { Recorder, type Execution, type Output } from "./command-output";

/** Runs a command on this machine, with the inherited environment and what it adds to it. */
export async function runLocally(execution: Execution): Promise<Output> {
  const { inputs, command, environment, signal } = execution;
  signal.throwIfAborted();
  const interpreter = inputs.interpreter?.length ? inputs.interpreter : ["/bin/sh", "-c"];
  const [program = "/bin/sh", ...args] = [...interpreter, command];
  const recorder = new Recorder(execution);
  const child = spawn(program, args, {
    cwd: inputs.dir,
    env: { ...process.env, ...environment },
    // A process group of its own: what the command started ends with it.
    detached: true,
  });
  child.stdout.on("data", (bytes: Buffer) => recorder.add("stdout", bytes));
  child.stderr.on("data", (bytes: Buffer) => recorder.add("stderr", bytes));
  // A command need not read what it is given.
  child.stdin.on("error", () => {});
  child.stdin.end(inputs.stdin ?? "");
  const stop = () => endGroup(child.pid);
  signal.addEventListener("abort", stop, { once: true });
  try {
    const { code, cause } = await new Promise<{ code: number | null; cause: string | null }>(
      (resolve, reject) => {
        child.on("error", (error) => reject(notStarted(program, inputs.dir, error)));
        child.on("close", (code, cause) => resolve({ code, cause }));
      },
    );
    const ending = signal.aborted ? "was cancelled" : `was ended by ${cause}`;
    return recorder.finish("this machine", code, ending);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

const KILL_AFTER_MS = 5000;

function endGroup(group: number | undefined): void {
  if (group === undefined) return;
  const send = (name: NodeJS.Signals) => {
    try {
      process.kill(-group, name);
    } catch {
      // It has ended by itself.
    }
  };
  send("SIGTERM");
  setTimeout(() => send("SIGKILL"), KILL_AFTER_MS).unref();
}

function notStarted(program: string, dir: string | undefined, error: Error): Error {
  const where = dir === undefined ? "" : ` in ${dir}`;
  return new Error(`this machine: ${program} could not be started${where}: ${error.message}`);
}
