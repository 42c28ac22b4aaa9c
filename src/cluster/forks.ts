import { randomBytes } from "node:crypto";
import { UsageError } from "../errors";
import { forkPasswordProbe, listeningProbe, type Fork } from "../facts/forks";
import { demandAll, unasked } from "../operations/ask";
import { dropFork, ensureFork, observeForks, refuseBroken } from "../operations/forks";
import { minuteOf } from "../operations/words";
import type { ForkInputs } from "../resources/inputs/fork";
import type { Cluster } from "./cluster";

// What is done with writable copies of the database: by whoever asks for one, not by the stack that declares some.

/** What a fork is to be, in the words of the stack's settings and of the command line. */
export interface ForkRequest {
  readonly name: string;
  /** `replica` for any one, or a member's name. */
  readonly from?: string;
  /** @default the first free one from 5433 */
  readonly port?: number;
  /** `512MB`. */
  readonly memory?: string;
  /** `10GB`. */
  readonly disk?: string;
  /** When its host removes it: `8h`, `3d`, or `never`. */
  readonly ttl?: string;
}

/** A fork as a request comes to it that says nothing but its name. */
export const FORK_DEFAULTS = {
  from: "replica",
  memory: "512MB",
  disk: "10GB",
  ttl: "24h",
} as const;

/** A request with everything in it. */
export type WholeForkRequest = Required<ForkRequest>;

/** What forks need to know of the stack. */
export interface ForkRules {
  readonly stack: string;
  readonly members: { readonly [host: string]: string };
  /** Where a host has its forks. */
  readonly folder: string;
  /** The host's tool for them. */
  readonly tool: string;
  /** What the stack itself makes. */
  readonly declared: readonly { readonly name: string; readonly port: number }[];
  /** Ports that no fork may take, whether somebody listens there now or not. */
  readonly taken: readonly number[];
  /** The fork as it is to be made. @throws UsageError if the stack's rules speak against it, in the command line's words */
  plan(request: WholeForkRequest): Omit<ForkInputs, "password">;
  /** Where clients reach a fork: `postgresql://10.89.0.12:5433/`. */
  uri(host: string, port: number): string;
}

/** A cluster whose stack is known as far as its forks go. */
export type ForkableCluster = Pick<Cluster, "host" | "progress"> & { readonly forks: ForkRules };

/** Forks that are there, and what keeps that from being all. */
interface Forks {
  readonly forks: readonly Fork[];
  /** Why members could not be asked: what forks they have is not known. */
  readonly missing: readonly string[];
}

/** A fork that has just been made; its password is asked for by itself. */
interface MadeFork extends Fork {
  readonly uri: string;
  /** From the request until it takes connections. */
  readonly seconds: number;
}

/** All forks, with how much of the disk each has taken for itself. */
export async function listForks({ forks: rules, host }: ForkableCluster): Promise<Forks> {
  const { forks, silent } = await observeForks(membersOf(rules), rules.folder, host, rules.tool);
  return { forks, missing: unasked(silent) };
}

/**
 * Makes a fork, which lives on its own from then on.
 * @throws UsageError if the stack's rules speak against it, or there is one of that name; PgherdError if it is not known
 * whether there is one, or no member can be its source
 */
export async function createFork(
  { forks: rules, host, progress }: ForkableCluster,
  request: ForkRequest,
): Promise<MadeFork> {
  const start = Date.now();
  const { name } = request;
  const wished = { ...FORK_DEFAULTS, ...request };
  // What was said is looked at before a host is.
  rules.plan({ ...wished, port: request.port ?? firstBeside(rules.taken) });
  const { forks, silent } = await observeForks(membersOf(rules), rules.folder, host);
  const twin = found(forks, name);
  if (twin) {
    throw new UsageError(
      `fork ${name}: there is one already, on ${twin.host} since ${minuteOf(twin.begun)}.`,
      `Take another name, or remove that one first: pgherd fork drop ${name}`,
    );
  }
  demandAll(
    silent,
    (names) => `fork ${name}: ${names} cannot be reached, and may have one of this name`,
  );
  const port = request.port ?? (await freePort(rules, forks, host));
  const password = randomBytes(24).toString("base64url");
  const { fork } = await ensureFork(
    { ...rules.plan({ ...wished, port }), password },
    host,
    progress,
  );
  return { ...fork, uri: rules.uri(fork.host, port), seconds: (Date.now() - start) / 1000 };
}

/**
 * Removes a fork and all that was written on it, half-made ones too.
 * @returns the hosts that it was on; none if there is no such fork.
 * @throws UsageError if the stack would make it again; PgherdError if members cannot be reached, where it may be as well
 */
export async function removeFork(
  { forks: rules, host, progress }: ForkableCluster,
  name: string,
): Promise<readonly string[]> {
  if (rules.declared.some((declared) => declared.name === name)) {
    throw new UsageError(
      `fork ${name}: it is declared in stack "${rules.stack}", which would make it again.`,
      "Remove it from pgherd:cluster.forks and run pulumi up.",
    );
  }
  const { members, folder, tool: keeper } = rules;
  progress(`removing the fork ${name}`);
  return dropFork({ members, folder: `${folder}/${name}`, keeper }, name, host);
}

/** Where a fork is reached, and the password of its users. @throws UsageError if there is none of that name */
export async function openFork(
  { forks: rules, host }: ForkableCluster,
  name: string,
): Promise<{ readonly uri: string; readonly password: string }> {
  const { forks, silent } = await observeForks(membersOf(rules), rules.folder, host);
  const fork = found(forks, name);
  if (!fork) {
    demandAll(
      silent,
      (names) => `fork ${name}: not found where it was looked for; ${names} cannot be reached`,
    );
    throw new UsageError(
      `fork ${name}: there is no such fork; there ${forks.length === 1 ? "is" : "are"} ${forks.map((one) => one.name).join(", ") || "none"}.`,
      `Make it: pgherd fork create ${name}`,
    );
  }
  refuseBroken(fork);
  const password = await host(fork.host).observe(forkPasswordProbe(name));
  return { uri: rules.uri(fork.host, fork.port), password };
}

function membersOf({ members }: ForkRules): string[] {
  return Object.keys(members);
}

/** One that is whole, or was. */
function found(forks: readonly Fork[], name: string): Fork | undefined {
  return forks.find((one) => one.name === name && one.state !== "incomplete");
}

const FIRST_PORT = 5433;

function firstBeside(taken: Iterable<number>): number {
  const ports = new Set(taken);
  let port = FIRST_PORT;
  while (ports.has(port)) port += 1;
  return port;
}

/** A port that nobody uses on any member, nor a fork that is stopped or declared. */
async function freePort(
  rules: ForkRules,
  forks: readonly Fork[],
  host: Cluster["host"],
): Promise<number> {
  const listening = await Promise.all(
    membersOf(rules).map((member) => host(member).observe(listeningProbe)),
  );
  return firstBeside([...listening.flat(), ...forks.map(({ port }) => port), ...rules.taken]);
}
