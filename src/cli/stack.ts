import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { parseSettings, rawSettings } from "../config/parse";
import type { Settings } from "../config/schema";
import { PgherdError } from "../errors";
import { projectRoot, stackPath } from "./project";

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
  return configFile ?? stackPath(projectRoot(), stack);
}

/** The settings of a stack as they stand in its file, not checked yet. */
export function rawStack(stack: string, configFile?: string): Record<string, unknown> {
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
  let read: unknown;
  try {
    read = parse(text);
  } catch (error) {
    throw new PgherdError(`${file}: expected YAML: ${(error as Error).message.trimEnd()}`);
  }
  const config = (read as { config?: Record<string, unknown> } | null)?.config ?? {};
  return rawSettings(config);
}
