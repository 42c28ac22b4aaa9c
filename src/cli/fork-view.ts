import pc from "picocolors";
import type { Fork } from "../facts/forks";
import { minuteOf, sizeOf } from "../operations/words";
import { plainTable } from "./table";

/** What a new fork is and how to use it, on 80 columns. */
export function renderCreated(
  fork: Fork,
  uri: string,
  seconds: number,
  { user, database }: { readonly user?: string; readonly database: string },
): string {
  const { name } = fork;
  const lines = [
    `${pc.bold(name)} takes connections after ${seconds.toFixed(1)} s`,
    "",
    `  on        ${fork.host}, port ${fork.port}, timeline ${fork.timeline}; copied in ${fork.copied} ms`,
    `  connect   pgherd fork psql ${name}`,
    `            ${user === undefined ? uri : uri.replace("//", `//${encodeURIComponent(user)}@`)}${encodeURIComponent(database)}`,
    `  password  pgherd fork password ${name}    of every user, on this fork only`,
    `  limits    ${sizeOf(fork.memory)} of memory, ${sizeOf(fork.disk)} of the disk`,
    `  ends      ${fork.ends === 0 ? "never by itself" : minuteOf(fork.ends)}, or by: pgherd fork drop ${name}`,
  ];
  return `${lines.join("\n")}\n`;
}

/** All forks as a person reads them, on 80 columns. @param now in seconds since 1970 */
export function renderForks(forks: readonly Fork[], now: number): string {
  if (forks.length === 0) return "There are no forks. Make one: pgherd fork create NAME\n";
  const table = plainTable(["Fork", "Host", "Port", "State", "TL", "Own", "Limit", "Ends in"]);
  const colour = { running: pc.green, stopped: pc.red, incomplete: pc.yellow, broken: pc.red };
  for (const fork of forks) {
    table.push([
      fork.name,
      fork.host,
      fork.port || "",
      colour[fork.state](fork.state),
      fork.timeline || "",
      fork.own === undefined ? "" : sizeOf(fork.own),
      fork.disk ? sizeOf(fork.disk) : "",
      fork.state === "broken" ? "" : fork.ends === 0 ? "never" : left(fork.ends - now),
    ]);
  }
  const reasons = forks
    .filter(({ reason }) => reason !== "")
    .map(({ name, state, reason }) =>
      pc.red(`${name}: ${state === "broken" ? "broken" : "stopped"}, since ${reason}.\n`),
    );
  return `${table.toString()}\n${reasons.join("")}`;
}

function left(seconds: number): string {
  if (seconds <= 0) return "now";
  if (seconds < 3600) return `${Math.ceil(seconds / 60)} min`;
  return seconds < 2 * 86400
    ? `${Math.round(seconds / 3600)} h`
    : `${Math.round(seconds / 86400)} d`;
}
