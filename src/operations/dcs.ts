import { NO_ANSWER } from "../dcs/no-answer";
import { CommandError, HealthError } from "../errors";
import { askFirst, isOutOfReach, type Question } from "./ask";
import type { Hosts } from "./drain";

/** Hosts were reached, and none of them has got an answer from the DCS: whatever stands there is not known. */
export class DcsSilentError extends HealthError {}

/**
 * Asks the DCS something, or changes something in it, by one host after the other until one gets an answer: a host that
 * is reached may be cut off from all that vote. What a host has done that is not heard of any more may be done again.
 * @param names of hosts that may reach the DCS, those to begin with first.
 * @throws DcsSilentError if some are reached, PgherdError if none is; it tells of each why it has no answer
 */
export async function askDcs<T>(
  hosts: Hosts,
  names: readonly string[],
  ask: Question<T>,
): Promise<T> {
  let silent = false;
  const passes = (error: unknown): error is Error => {
    const unanswered = error instanceof CommandError && error.code === NO_ANSWER;
    silent ||= unanswered;
    return unanswered || isOutOfReach(error);
  };
  try {
    return await askFirst(hosts, [...new Set(names)], ask, passes);
  } catch (error) {
    throw silent && !passes(error) ? new DcsSilentError((error as Error).message) : error;
  }
}
