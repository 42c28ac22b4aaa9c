import type { Message, Operation } from "../api/live";
import type { ClusterStatus } from "../operations/status";
import type { LoggedEvent } from "../cluster/event-log";
import type { ProbeReport } from "../probe/report";

/** All that the server has told. */
export interface News {
  readonly status?: ClusterStatus;
  /** The latest first. */
  readonly events: readonly LoggedEvent[];
  readonly probe?: ProbeReport;
  readonly operation?: Operation;
  /** In a lab only. */
  readonly power?: { readonly [host: string]: "up" | "booting" | "off" };
}

export const EMPTY: News = { events: [] };

/** A call that changes something. @throws Error with the server's own words. */
export type Act = (method: string, path: string, body?: object) => Promise<unknown>;

const SHOWN = 200;

/** What is known once a message has come. */
export function take(news: News, message: Message): News {
  switch (message.type) {
    case "status":
      return { ...news, status: message.data };
    case "event":
      return { ...news, events: withEvent(news.events, message.data) };
    case "probe":
      return { ...news, probe: message.data ?? undefined };
    case "operation":
      return { ...news, operation: message.data ?? undefined };
    case "power":
      return { ...news, power: message.data };
  }
}

/** What is told under the same number again takes the place of what was told before. */
function withEvent(events: readonly LoggedEvent[], event: LoggedEvent): LoggedEvent[] {
  return [event, ...events.filter(({ id }) => id !== event.id)]
    .sort((a, b) => b.at.localeCompare(a.at))
    .slice(0, SHOWN);
}
