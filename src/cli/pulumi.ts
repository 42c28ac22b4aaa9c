import { execFileSync } from "node:child_process";
import { PgherdError } from "../errors";
import { runAttached, tryRun } from "../lab/run";
import { projectRoot } from "./project";

/**
 * Runs pulumi on this terminal.
 * @param file the stack's settings.
 * @throws PgherdError when it does not end well; what went wrong is on the screen then.
 */
export async function pulumi(
  verb: string,
  stack: string,
  file: string,
  ...args: string[]
): Promise<void> {
  const options = ["--stack", stack, "--config-file", file];
  const code = await runAttached(["pulumi", "-C", projectRoot(), verb, ...args, ...options]);
  if (code === 0) return;
  throw new PgherdError(
    `pulumi ${verb} ended with exit code ${code}.`,
    verb === "up"
      ? "Run this command again, or `pulumi up`: both go on where it stopped."
      : "Nothing was changed.",
  );
}

/**
 * Runs pulumi without its own display. Returns what it prints on standard output.
 * @param file the stack's settings.
 * @throws PgherdError when it does not end well, with the end of what it has printed.
 */
export async function quietPulumi(
  [verb = "", ...args]: readonly string[],
  stack: string,
  file: string,
): Promise<string> {
  const options = ["--stack", stack, "--config-file", file, "--non-interactive"];
  const { code, stdout, stderr } = await tryRun(
    ["pulumi", "-C", projectRoot(), verb, ...args, ...options],
    { env: process.env },
  );
  if (code === 0) return stdout;
  const said = `${stdout}\n${stderr}`.trim().split("\n").slice(-LAST_LINES).join("\n");
  throw new PgherdError(
    `pulumi ${verb} ended with exit code ${code}.\n${said}`,
    verb === "up"
      ? "Run this command again, or `pulumi up`: both go on where it stopped."
      : "Nothing was changed.",
  );
}

/** Of what pulumi prints, in which a failure is told at the end. */
const LAST_LINES = 30;

/** What pulumi prints. @throws PgherdError if it cannot be run, or says no. */
export function pulumiOutput(args: readonly string[], stack: string): string {
  try {
    return execFileSync("pulumi", ["-C", projectRoot(), ...args, "--stack", stack], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
      maxBuffer: 256 * 2 ** 20,
    });
  } catch (error) {
    const { stderr, message } = error as Error & { stderr?: string };
    throw new PgherdError(
      `pulumi ${args.slice(0, 2).join(" ")} of stack "${stack}" cannot be read: ${stderr?.trim() || message}.`,
      "Run it where `pulumi up` ran: with the same backend and passphrase, in a lab by `pgherd lab exec`.",
    );
  }
}
