import * as pulumi from "@pulumi/pulumi";
import { ConfigError } from "../errors";
import { checkSettings, MIGRATION_PASSWORD, rawSettings } from "./parse";
import type { Settings } from "./schema";

export interface Loaded {
  readonly settings: Settings;
  /** Of the role that the members of a standby cluster stream with from the old server; nothing where there is no such server. */
  readonly migrationPassword?: pulumi.Output<string>;
}

/**
 * The settings of the stack that the program runs for.
 * @throws ConfigError with every problem there is.
 */
export function loadSettings(): Loaded {
  const texts = Object.entries(pulumi.runtime.allConfig());
  const raw = rawSettings(Object.fromEntries(texts.map(([key, text]) => [key, fromJson(text)])));
  const checked = checkSettings(raw);
  const problems = [...checked.problems];
  const password = new pulumi.Config("pgherd").getSecret(MIGRATION_PASSWORD);
  const needed = followsServer(raw);
  if (needed && !password) {
    problems.push(
      `pgherd:${MIGRATION_PASSWORD}: expected the password that the role replicator has on the old server, got nothing. ` +
        `Set it: pulumi config set --secret pgherd:${MIGRATION_PASSWORD}`,
    );
  }
  if (!checked.settings || problems.length > 0) throw new ConfigError(problems);
  return { settings: checked.settings, migrationPassword: needed ? password : undefined };
}

/** Pulumi keeps blocks as JSON. */
function fromJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function followsServer(raw: Record<string, unknown>): boolean {
  const cluster = raw.cluster as { migration?: { method?: unknown } | null } | null | undefined;
  return cluster?.migration?.method === "standbyCluster";
}
