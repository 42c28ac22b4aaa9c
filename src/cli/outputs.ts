import { execFileSync } from "node:child_process";
import { PgherdError } from "../errors";
import { projectRoot } from "./project";

/** What the program hands out at the end of `pulumi up`. */
interface Outputs {
  /** What clients connect with, by entrance: `{primary: "postgresql://10.89.0.100:5000/", …}` */
  readonly connection: Readonly<Record<string, string>>;
  /** By user: `{app: "…"}`. Secret: for the environment of a child or a protocol, never for argv or output. */
  readonly passwords: Readonly<Record<string, string>>;
}

/**
 * The outputs of a deployed stack, decrypted by the engine as `pulumi stack output` does.
 * @throws PgherdError if `pulumi` cannot be run, or the stack has not been deployed.
 */
export function stackOutputs(stack: string): Outputs {
  const args = ["-C", projectRoot(), "stack", "output", "--json", "--show-secrets"];
  let text: string;
  try {
    text = execFileSync("pulumi", [...args, "--stack", stack], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    });
  } catch (error) {
    const { stderr, message } = error as Error & { stderr?: string };
    throw new PgherdError(
      `the outputs of stack "${stack}" cannot be read: ${stderr?.trim() || message}.`,
      "Run it where `pulumi up` ran: with the same backend and passphrase, in a lab by `pgherd lab exec`.",
    );
  }
  return parseOutputs(stack, text);
}

/** What `pulumi stack output --json --show-secrets` has printed. @throws PgherdError if nothing is deployed. */
export function parseOutputs(stack: string, text: string): Outputs {
  const { connection, passwords } = JSON.parse(text) as Partial<Outputs>;
  if (!connection || !passwords) {
    throw new PgherdError(
      `stack "${stack}" has no connection and passwords among its outputs.`,
      `Deploy it first: pulumi up --stack ${stack}`,
    );
  }
  return { connection, passwords };
}
