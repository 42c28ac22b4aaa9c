import type { CheckFailure } from "../../src/rpc/server";
import { isUnknown, type Value, type Values } from "../../src/rpc/values";

/** How to reach a host by SSH. */
export interface Hop {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password?: string;
  /** The key itself, not a path. Tried before the password. */
  readonly privateKey?: string;
  readonly privateKeyPassword?: string;
  /** @default $SSH_AUTH_SOCK */
  readonly agentSocketPath?: string;
  /** The host's public key as in known_hosts, e.g. `ssh-ed25519 AAAA…`. Not given: any key is accepted. */
  readonly hostKey?: string;
  /** Failed attempts before giving up; -1: never. */
  readonly dialErrorLimit: number;
  /** Seconds for one attempt; 0: no limit. */
  readonly perDialTimeout: number;
}

/** The host that runs the command, and the one on the way to it, if any. */
export interface Connection extends Hop {
  readonly proxy?: Hop;
}

/** What both kinds of command take, with what only one of them takes. */
export interface CommandInputs {
  readonly create?: string;
  readonly update?: string;
  readonly delete?: string;
  readonly stdin?: string;
  readonly environment?: { readonly [name: string]: string };
  readonly logging?: "stdout" | "stderr" | "stdoutAndStderr" | "none";
  readonly addPreviousOutputInEnv?: boolean;
  /** Local only. */
  readonly interpreter?: readonly string[];
  /** Local only. */
  readonly dir?: string;
  /** Remote only. */
  readonly connection?: Connection;
}

/** The inputs that a type of command takes. */
export function inputNames(type: string): readonly string[] {
  return type.startsWith("command:remote:")
    ? [...COMMON, "connection"]
    : [...COMMON, "interpreter", "dir", ...ASSETS];
}

const COMMON = [
  "create",
  "update",
  "delete",
  "triggers",
  "stdin",
  "environment",
  "logging",
  "addPreviousOutputInEnv",
];
const ASSETS = ["assetPaths", "archivePaths"];
const LOGGING = ["stdout", "stderr", "stdoutAndStderr", "none"];

/** The inputs with the official defaults in place of what is not given. */
export function completeInputs(type: string, inputs: Values): Values {
  const given = Object.fromEntries(
    Object.entries(inputs).filter(
      ([name, value]) => value !== null && inputNames(type).includes(name),
    ),
  );
  const { connection } = given;
  return {
    addPreviousOutputInEnv: true,
    ...given,
    ...(isObject(connection) ? { connection: completeConnection(connection) } : {}),
  };
}

/** Refuses what the stand-in cannot do and what no shell would take. */
export function checkCommand(type: string, inputs: Values): CheckFailure[] {
  const failures: CheckFailure[] = [];
  for (const property of Object.keys(inputs)) {
    if (!inputNames(type).includes(property) && !property.startsWith("__"))
      failures.push({ property, reason: `expected one of ${inputNames(type).join(", ")}` });
    else if (ASSETS.includes(property))
      failures.push({ property, reason: "not in pgherd's stand-in for the command plugin" });
  }
  const { logging, environment } = inputs;
  if (typeof logging === "string" && !isUnknown(logging) && !LOGGING.includes(logging))
    failures.push({
      property: "logging",
      reason: `expected one of ${LOGGING.join(", ")}, got "${logging}"`,
    });
  for (const name of isObject(environment) ? Object.keys(environment) : [])
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
      failures.push({
        property: `environment["${name}"]`,
        reason: "expected a name of letters, digits and _ that does not begin with a digit",
      });
  return failures;
}

function completeConnection(connection: Values): Values {
  const { proxy } = connection;
  return { ...completeHop(connection), ...(isObject(proxy) ? { proxy: completeHop(proxy) } : {}) };
}

function completeHop(hop: Values): Values {
  const given = Object.fromEntries(Object.entries(hop).filter(([, value]) => value !== null));
  return { user: "root", port: 22, dialErrorLimit: 10, perDialTimeout: 15, ...given };
}

function isObject(value: Value | undefined): value is Values {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
