import type { Probe } from "../host/host";

/** Which servers each entrance leads to now: `{ primary: ["db1"], replica: ["db2", "db3"] }`. */
export type Entrances = { readonly [name: string]: readonly string[] };

/** Which servers HAProxy leads to, as the host itself sees it. */
export function entrancesProbe(statsPort: number): Probe<Entrances> {
  return {
    script: statistics(statsPort),
    parse: (output) => entrancesOf(serverRows(output)),
  };
}

/** All servers of all entrances, whatever their state; none if HAProxy does not answer. */
export function serversProbe(statsPort: number): Probe<BalancedServer[]> {
  return { script: statistics(statsPort), parse: serverRows };
}

/** Which of these servers each entrance leads to. */
export function entrancesOf(servers: readonly BalancedServer[]): Entrances {
  const entrances: { [name: string]: string[] } = {};
  for (const { entrance, server, status } of servers) {
    entrances[entrance] ??= [];
    if (status.startsWith("UP")) entrances[entrance].push(server);
  }
  return entrances;
}

/** Servers that take no new sessions because somebody drains them: `["replica/db2"]`. */
export function drainedServersProbe(statsPort: number): Probe<string[]> {
  return {
    script: statistics(statsPort),
    parse: (output) =>
      serverRows(output)
        .filter(({ status }) => status.startsWith("DRAIN"))
        .map(({ entrance, server }) => `${entrance}/${server}`),
  };
}

/**
 * How many sessions of clients a member has now through the entrances that only read; `undefined` where HAProxy does not
 * tell.
 */
export function readingSessionsProbe(statsPort: number, member: string): Probe<number | undefined> {
  return {
    script: statistics(statsPort),
    parse(output) {
      const rows = serverRows(output).filter(
        ({ entrance, server }) => server === member && entrance !== "primary",
      );
      const told = rows.length > 0 && rows.every(({ sessions }) => Number.isInteger(sessions));
      return told ? rows.reduce((sum, { sessions }) => sum + sessions, 0) : undefined;
    },
  };
}

/** How long HAProxy may take to answer, and how much of it is read: a line has some hundred bytes. */
const ANSWER_SECONDS = 10;
const ANSWER_BYTES = 1_000_000;

/** Names as a stack may have them: some become parts of commands. */
const NAME = /^[A-Za-z0-9_.-]+$/;

/**
 * HAProxy's own statistics, asked on the host itself. While it does not run, any user of the host may answer in its
 * place: nothing is believed of it but names and figures.
 */
function statistics(port: number): string {
  // One that does not answer leads nobody anywhere: that is what is told of it.
  return `bash -c 'exec 3<>/dev/tcp/127.0.0.1/${port}; printf "GET /;csv HTTP/1.0\\r\\n\\r\\n" >&3; timeout ${ANSWER_SECONDS} head -c ${ANSWER_BYTES} <&3' 2>/dev/null || :`;
}

/** A member behind one of HAProxy's entrances. */
export interface BalancedServer {
  /** `primary`, `replica`… */
  readonly entrance: string;
  /** The member's name. */
  readonly server: string;
  /** Sessions that are open now. */
  readonly sessions: number;
  /** `UP`, `DOWN`, `UP 1/3`, `DRAIN`… */
  readonly status: string;
}

/** The lines of single servers (management guide, 9.1: fields 1, 2, 5 and 18). */
function serverRows(output: string): BalancedServer[] {
  return output
    .split(/\r?\n/)
    .map((line) => line.split(","))
    .filter((fields) => fields.length >= 18 && !fields[0]?.startsWith("#") && fields[0] !== "stats")
    .filter(([, server = ""]) => !["FRONTEND", "BACKEND"].includes(server))
    .filter(([entrance = "", server = ""]) => NAME.test(entrance) && NAME.test(server))
    .map((fields) => ({
      entrance: fields[0] ?? "",
      server: fields[1] ?? "",
      sessions: Number(fields[4]),
      status: fields[17] ?? "",
    }));
}

/** Which of these IP addresses the host holds now. */
export function addressesHeldProbe(addresses: readonly string[]): Probe<string[]> {
  return {
    script: "ip -o address show",
    parse: (output) => addresses.filter((address) => output.includes(` ${address}/`)),
  };
}
