import type { Message, Operation } from "../api/live";
import type { ClusterStatus } from "../operations/status";
import type { ClusterEvent } from "../operator/events";
import type { ProbeReport } from "../probe/report";

/** All that the server has told. */
export interface News {
  readonly status?: ClusterStatus;
  /** The latest first. */
  readonly events: readonly ClusterEvent[];
  readonly probe?: ProbeReport;
  readonly operation?: Operation;
  /** In a lab only. */
  readonly power?: { readonly [host: string]: "up" | "booting" | "off" };
}

export const EMPTY: News = { events: [] };

/** A call that changes something. @throws Error with the server's own words. */
export type Act = (method: string, path: string, body?: object) => Promise<unknown>;

const SHOWN = 100;

/** What is known once a message has come. */
export function take(news: News, message: Message): News {
  switch (message.type) {
    case "status":
      return { ...news, status: message.data };
    case "event":
      return { ...news, events: [message.data, ...news.events].slice(0, SHOWN) };
    case "probe":
      return { ...news, probe: message.data ?? undefined };
    case "operation":
      return { ...news, operation: message.data ?? undefined };
    case "power":
      return { ...news, power: message.data };
  }
}
