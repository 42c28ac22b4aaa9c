import * as pulumi from "@pulumi/pulumi";
import { Cluster } from "./components/cluster";
import { loadSettings, type Loaded } from "./config/load";
import { ConfigError } from "./errors";
import { planConnection } from "./plan/connection";
import { planEntryPoint } from "./plan/haproxy";

const { settings, migrationPassword } = settingsOrStop();
const cluster = new Cluster(settings.cluster.name, settings, { migrationPassword });
const entryPoint = planEntryPoint(settings);

/** What clients need to connect; the passwords with `pulumi stack output passwords --show-secrets`. */
export const connection = planConnection(settings);
export const addresses = entryPoint?.addresses;
export const ports = entryPoint?.ports;
export const passwords = pulumi.secret(cluster.passwords);
export const statsPassword = entryPoint && pulumi.secret(cluster.statsPassword);
/** What clients connect to the stack's forks with; passwords with `--show-secrets`. */
export const forks = cluster.forks;
export const forkPasswords = pulumi.secret(cluster.forkPasswords);
export const systemIdentifier = cluster.systemIdentifier;

function settingsOrStop(): Loaded {
  try {
    return loadSettings();
  } catch (error) {
    // The engine shows this error's message alone, without a stack that helps nobody.
    if (error instanceof ConfigError) throw new pulumi.RunError(error.message);
    throw error;
  }
}
