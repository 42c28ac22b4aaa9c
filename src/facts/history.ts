import { z } from "zod";
import { FactError } from "../errors";
import type { Probe } from "../host/host";
import { page } from "./patroni";

/** A change of the leader, as Patroni keeps it. */
interface LeaderChange {
  /** The timeline that began. */
  readonly timeline: number;
  /** Where the one before was left: `0/5000060`. */
  readonly lsn: string;
  /** When, if Patroni was told; it is not of what happened before it took the server over. */
  readonly at?: string;
  readonly leader?: string;
}

/** A line is `[timeline, lsn, reason, time, leader]`, the last two only where they are known (patroni/ha.py, update_cluster_history). */
const LINES = z.array(z.tuple([z.int(), z.int()]).rest(z.unknown()));

const text = (value: unknown) => (typeof value === "string" && value !== "" ? value : undefined);

/** Who has led, the oldest first; `undefined` if the Patroni at this endpoint does not answer. */
export function leaderChangesProbe(endpoint: string): Probe<LeaderChange[] | undefined> {
  return {
    script: page(endpoint, "history"),
    parse(output) {
      if (output.trim() === "") return undefined;
      return readAs(endpoint, LINES, output).map(([timeline, lsn, , at, leader]) => ({
        timeline: timeline + 1,
        lsn: lsnOf(lsn),
        at: momentOf(text(at)),
        leader: text(leader),
      }));
    },
  };
}

/** When the server of a member was started; `undefined` if it does not run, or Patroni does not answer. */
export function startedProbe(endpoint: string): Probe<string | undefined> {
  const answer = z.object({ postmaster_start_time: z.string().nullish() });
  return {
    script: page(endpoint, "patroni"),
    parse(output) {
      if (output.trim() === "") return undefined;
      return momentOf(readAs(endpoint, answer, output).postmaster_start_time ?? undefined);
    },
  };
}

function readAs<Kind extends z.ZodType>(
  endpoint: string,
  kind: Kind,
  output: string,
): z.output<Kind> {
  try {
    return kind.parse(JSON.parse(output));
  } catch (error) {
    throw new FactError(
      `Patroni at ${endpoint}: expected its history or its status, got ${output.slice(0, 100)}`,
      undefined,
      { cause: error },
    );
  }
}

/** `2026-11-22 02:00:00.123456+00:00` as everybody writes it. */
function momentOf(time: string | undefined): string | undefined {
  const date = new Date(time?.replace(" ", "T") ?? "");
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString();
}

/** A position of the WAL as PostgreSQL writes it. */
function lsnOf(bytes: number): string {
  const half = 2 ** 32;
  return `${Math.floor(bytes / half).toString(16)}/${(bytes % half).toString(16)}`.toUpperCase();
}
