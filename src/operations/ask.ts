import { CommandError, ConnectError, PgherdError } from "../errors";
import type { Host } from "../host/host";
import { LockedError } from "../host/lock";
import type { Hosts } from "./drain";
import { oneCauseOnce } from "./one-cause";

/** What several hosts were asked: who answered, and who could not be asked, of whom nothing is known by that. */
export interface Asked<T> {
  readonly answers: { readonly [host: string]: T };
  /** Why each of the others could not be asked. */
  readonly silent: { readonly [host: string]: Error };
}

export type Question<T> = (host: Host, name: string) => Promise<T>;

/** Whether it was the way to a host that failed, before or while it was asked. What is there is not known then. */
export function isOutOfReach(error: unknown): error is PgherdError {
  return notReached(error) || (error instanceof CommandError && error.code === null);
}

/** A host that another run is changing is there: nobody goes round it. */
function notReached(error: unknown): error is ConnectError {
  return error instanceof ConnectError && !(error instanceof LockedError);
}

/** Asks hosts at once. One that cannot be reached keeps no answer of the others back; any other failure is thrown. */
export async function askEach<T>(
  hosts: Hosts,
  names: readonly string[],
  ask: Question<T>,
): Promise<Asked<T>> {
  const answers: { [host: string]: T } = {};
  const silent: { [host: string]: Error } = {};
  const asked = await Promise.allSettled(
    names.map(async (name) => {
      try {
        answers[name] = await ask(hosts.host(name), name);
      } catch (error) {
        if (!isOutOfReach(error)) throw error;
        silent[name] = error;
      }
    }),
  );
  for (const one of asked) if (one.status === "rejected") throw one.reason;
  return { answers, silent };
}

/**
 * Asks hosts all of which have to answer.
 * @param why they are needed, for the message: `what forks db3 has is not known`.
 * @throws PgherdError naming all that cannot be reached
 */
export async function askAll<T>(
  hosts: Hosts,
  names: readonly string[],
  ask: Question<T>,
  why: (silent: string) => string,
): Promise<{ readonly [host: string]: T }> {
  const { answers, silent } = await askEach(hosts, names, ask);
  demandAll(silent, why);
  return answers;
}

/** @throws PgherdError naming all of these that could not be asked, each cause once, and why they are needed */
export function demandAll(silent: Asked<unknown>["silent"], why: (silent: string) => string): void {
  const names = Object.keys(silent).sort();
  if (names.length === 0) return;
  throw new PgherdError(`${why(names.join(", "))}.\n${causes(silent).join("\n")}`);
}

/**
 * Asks one host after the other until one is reached.
 * @param passes whether the next one is to be asked after this failure. What a connection that broke has left running is
 * not begun a second time, unless the caller says that it may be.
 * @throws PgherdError naming all if none is
 */
export async function askFirst<T>(
  hosts: Hosts,
  names: readonly string[],
  ask: Question<T>,
  passes: (error: unknown) => error is Error = notReached,
): Promise<T> {
  const silent: { [host: string]: Error } = {};
  for (const name of names) {
    try {
      return await ask(hosts.host(name), name);
    } catch (error) {
      if (!passes(error)) throw error;
      silent[name] = error;
    }
  }
  throw new PgherdError(causes(silent).join("\n"));
}

/** Why hosts could not be asked, a line for each cause. */
export function unasked(silent: Asked<unknown>["silent"]): string[] {
  return causes(silent, (message) => message.split("\n")[0] ?? "");
}

function causes(silent: Asked<unknown>["silent"], told = (message: string) => message): string[] {
  return oneCauseOnce(
    Object.values(silent).map(({ message }) => told(message)),
    Object.keys(silent),
  );
}
