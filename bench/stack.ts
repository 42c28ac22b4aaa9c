import { labExec } from "../src/lab/exec";
import { packageRoot } from "../src/package-root";
import { run } from "./commands";
import { LAB } from "./sizes";

/** A resource as the engine remembers it, with its secrets in clear. */
export interface Remembered {
  readonly urn: string;
  readonly type: string;
  readonly custom: boolean;
  readonly parent?: string;
  readonly dependencies?: readonly string[];
  readonly inputs?: { readonly [name: string]: unknown };
  readonly outputs?: { readonly [name: string]: unknown };
}

/** Forgets what the engine believes about the hosts, which are blank. */
export async function forgetStack(project = packageRoot()): Promise<void> {
  const pulumi = ["pulumi", "-C", project, "stack"];
  await run({ argv: [...pulumi, "select", "--create", "lab"] });
  await run({ argv: [...pulumi, "rm", "--force", "--yes", "--preserve-config", "lab"] });
  await run({ argv: [...pulumi, "select", "--create", "lab"] });
}

/** All that the stack consists of. */
export async function remembered(): Promise<Remembered[]> {
  const argv = ["pulumi", "-C", packageRoot(), "stack", "export", "--show-secrets"];
  const text = await labExec(LAB, [...argv, "--stack", "lab"]);
  const { deployment } = JSON.parse(text) as { deployment: { resources: Remembered[] } };
  return deployment.resources;
}

/** Marks a secret in an exported stack (sdk/go/common/resource/sig, Key and Secret). */
const SIGNATURE = "4dabf18193072939515e22adb298388d";
const SECRET = "1b47061264138c4ac30d75fd1eb44270";

/** The value of an exported secret; `undefined` of anything else. */
export function secretIn(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return undefined;
  const { [SIGNATURE]: signature, plaintext } = value as { [key: string]: unknown };
  return signature === SECRET ? JSON.parse(String(plaintext)) : undefined;
}
