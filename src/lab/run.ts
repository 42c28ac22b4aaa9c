import { execFile, spawn, type StdioOptions } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import { PgherdError } from "../errors";

export interface RunOptions {
  /** Written to the command's standard input. */
  readonly input?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** After this many milliseconds the command is killed and counts as failed. @default none */
  readonly timeoutMs?: number;
}

interface RunResult {
  /** Exit code; 128 + signal number when a signal ended it. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command on this machine and returns what came of it, whatever its exit code. */
export function tryRun(argv: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const [program = "", ...args] = argv;
  return new Promise((resolve, reject) => {
    const child = execFile(
      program,
      args,
      {
        env: options.env,
        cwd: options.cwd,
        timeout: options.timeoutMs,
        killSignal: "SIGKILL",
        maxBuffer: 256 * 1024 * 1024,
      },
      (error, stdout, stderr) => {
        if (typeof error?.code === "string")
          return reject(new PgherdError(`${program}: could not be run: ${error.message}.`));
        resolve({ code: exitCode(child.exitCode, child.signalCode), stdout, stderr });
      },
    );
    child.stdin?.on("error", () => undefined); // A command may end without having read its input.
    child.stdin?.end(options.input ?? "");
  });
}

/**
 * Runs a command on this machine and returns its standard output.
 * @throws PgherdError with its errors and the end of what it said, when its exit code is not 0
 */
export async function run(argv: readonly string[], options: RunOptions = {}): Promise<string> {
  const { code, stdout, stderr } = await tryRun(argv, options);
  if (code === 0) return stdout;
  const said = (stderr.trim() || stdout.trim()).split("\n");
  // What went wrong may stand far above a summary, and as a list below its heading.
  const shown = said.filter(
    (line, i) => i >= said.length - SHOWN_LINES || /\berror: |^\s*\* /.test(line),
  );
  throw new PgherdError(
    `"${argv.join(" ")}" failed with exit code ${code}.\n  ${shown.join("\n  ")}`,
  );
}

/**
 * Runs a command in this one's place, as far as Node can: same terminal, same signals. Returns its exit code.
 */
export function runAttached(
  argv: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
  stdio: StdioOptions = "inherit",
): Promise<number> {
  const [program = "", ...args] = argv;
  return new Promise((resolve, reject) => {
    // Before the child is there: a signal that it provokes at once must not end this process instead.
    const forward = (signal: NodeJS.Signals) => {
      if (!reachesChildAnyway(signal)) child.kill(signal);
    };
    for (const signal of FORWARDED) process.on(signal, forward);
    const child = spawn(program, args, { stdio, env });
    const settle = (finish: () => void) => {
      for (const signal of FORWARDED) process.off(signal, forward);
      finish();
    };
    child.on("error", (error) => {
      if (child.pid !== undefined) return; // A signal that we may not send to sudo's child.
      settle(() => reject(new PgherdError(`${program}: could not be run: ${error.message}.`)));
    });
    child.on("exit", (code, signal) => settle(() => resolve(exitCode(code, signal))));
  });
}

const SHOWN_LINES = 12;
const FORWARDED: NodeJS.Signals[] = ["SIGINT", "SIGQUIT", "SIGTERM", "SIGHUP"];

/** Ctrl-C and Ctrl-\ go from the terminal to all processes in front of it: passed on, the child would get them twice. */
function reachesChildAnyway(signal: NodeJS.Signals): boolean {
  if (signal !== "SIGINT" && signal !== "SIGQUIT") return false;
  // proc(5): after the command's name in parentheses come state, ppid, pgrp, session, tty_nr, tpgid.
  const fields = fs.readFileSync("/proc/self/stat", "utf8").split(") ").at(-1)?.split(" ") ?? [];
  const [, , group, , terminal, foregroundGroup] = fields;
  return terminal !== "0" && group === foregroundGroup;
}

function exitCode(code: number | null, signal: NodeJS.Signals | null): number {
  return code ?? 128 + (signal ? os.constants.signals[signal] : 0);
}
