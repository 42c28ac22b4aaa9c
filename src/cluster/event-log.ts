import type { ClusterEvent } from "./events";

/** An event in a log, where one that comes again and again stands once. */
export interface LoggedEvent extends ClusterEvent {
  /** Names it: what is told under the same number again takes its place. */
  readonly id: number;
  /** How often it has happened, and since when, if more than once; `at` is the last time. */
  readonly count?: number;
  readonly since?: string;
  /** Nobody was watching then: it is told by what was written down elsewhere. */
  readonly unwatched?: true;
}

/** Milliseconds within which the same happening again is the same story. */
const SAME_MS = 15 * 60_000;

/**
 * The latest events of a cluster. What happens again within a quarter of an hour is counted where it stands, so that a
 * daemon which comes and goes all day pushes out nothing else.
 */
export class EventLog {
  private events: LoggedEvent[] = [];
  private ids = 0;

  /** @param kept how many; the oldest go. */
  constructor(private readonly kept: number) {}

  /** The oldest first, by when each last happened. */
  all(): readonly LoggedEvent[] {
    return this.events;
  }

  /** @returns how it stands there now */
  add(event: ClusterEvent, unwatched = false): LoggedEvent {
    const again = this.events.find(
      ({ text, severity, at }) =>
        text === event.text &&
        severity === event.severity &&
        Math.abs(Date.parse(event.at) - Date.parse(at)) <= SAME_MS,
    );
    const logged: LoggedEvent = again
      ? together(again, event)
      : { ...event, id: this.ids++, ...(unwatched && { unwatched }) };
    this.events = [...this.events.filter((one) => one !== again), logged]
      .sort((a, b) => a.at.localeCompare(b.at))
      .slice(-this.kept);
    return logged;
  }
}

function together(before: LoggedEvent, { at }: ClusterEvent): LoggedEvent {
  if (at === before.at) return before;
  const first = before.since ?? before.at;
  return {
    ...before,
    at: at > before.at ? at : before.at,
    since: at < first ? at : first,
    count: (before.count ?? 1) + 1,
  };
}
