import * as pulumi from "@pulumi/pulumi";
import { ConfigError } from "../errors";
import { parseSettings } from "./parse";
import type { Settings } from "./schema";

/**
 * The settings of the stack that the program runs for.
 * @throws ConfigError with every problem there is.
 */
export function loadSettings(): Settings {
  const config = new pulumi.Config("pgherd");
  const raw = {
    hosts: config.getObject("hosts"),
    ssh: config.getObject("ssh"),
    cluster: config.getObject("cluster"),
  };
  return parseSettings(raw);
}

/**
 * The password of the role that the members of a standby cluster stream with from the old server, of the stack's setting
 * `pgherd:migrationPassword`; nothing where there is no such server.
 * @throws ConfigError if it is needed and not set.
 */
export function loadMigrationPassword({ cluster }: Settings): pulumi.Output<string> | undefined {
  if (cluster.migration?.method !== "standbyCluster") return undefined;
  const password = new pulumi.Config("pgherd").getSecret("migrationPassword");
  if (password) return password;
  throw new ConfigError([
    "pgherd:migrationPassword: expected the password that the role replicator has on the old server, got nothing. " +
      "Set it: pulumi config set --secret pgherd:migrationPassword",
  ]);
}
