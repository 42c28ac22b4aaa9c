import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { parseSettings } from "../config/parse";
import type { Settings } from "../config/schema";
import { PgherdError } from "../errors";
import { packageRoot } from "../package-root";

/**
 * The settings of a stack, from the same file that Pulumi reads: there is no second inventory.
 * @param configFile the stack's file where it is not in stacks/, as for `pulumi --config-file`.
 * @throws PgherdError if there is no such stack file; ConfigError with every problem in it.
 */
export function readStack(stack: string, configFile?: string): Settings {
  return parseSettings(rawStack(stack, configFile));
}

/** Where the settings of a stack stand. */
export function stackFile(stack: string, configFile?: string): string {
  return configFile ?? join(packageRoot(), "stacks", `Pulumi.${stack}.yaml`);
}

/** The settings of a stack as they stand in its file, not checked yet. */
export function rawStack(
  stack: string,
  configFile?: string,
): { hosts: unknown; ssh: unknown; cluster: unknown } {
  const file = stackFile(stack, configFile);
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw new PgherdError(
      `expected the stack's settings in ${file}: ${(error as Error).message}.`,
      "Name the stack with --stack or its file with --config-file, or copy stacks/Pulumi.example.yaml.",
      { cause: error },
    );
  }
  const { config } = parse(text) as { config?: Record<string, unknown> };
  return {
    hosts: config?.["pgherd:hosts"],
    ssh: config?.["pgherd:ssh"],
    cluster: config?.["pgherd:cluster"],
  };
}
