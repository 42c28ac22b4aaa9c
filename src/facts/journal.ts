import type { Probe } from "../host/host";
import { quote, words } from "../host/shell";

/** Something that a daemon said. */
export interface JournalLine {
  /** In milliseconds since 1970. */
  readonly at: number;
  readonly host: string;
  /** Who said it: `patroni`, `postgres`, `haproxy`. */
  readonly unit: string;
  readonly text: string;
}

export interface JournalOptions {
  /** The latest ones, at most. */
  readonly lines: number;
  /** In milliseconds since 1970. */
  readonly since?: number;
  /** A place in the journal that was told before: only what came later. */
  readonly after?: string;
}

/** What units have said, and the place in the journal up to which this was. */
export function journalProbe(
  host: string,
  units: readonly string[],
  { lines, since, after }: JournalOptions,
): Probe<{ readonly lines: JournalLine[]; readonly cursor?: string }> {
  const range =
    after === undefined
      ? [`-n ${lines}`, ...(since === undefined ? [] : [`--since=@${Math.floor(since / 1000)}`])]
      : [`--after-cursor=${quote(after)}`];
  const chosen = words(units.flatMap((unit) => ["-u", unit]));
  return {
    script: `journalctl -q --no-pager -o json --output-fields=SYSLOG_IDENTIFIER,MESSAGE --show-cursor ${range.join(" ")} ${chosen}`,
    parse(output) {
      const rows = output.split("\n").filter((line) => line.startsWith("{"));
      const cursor = /^-- cursor: (.*)$/m.exec(output)?.[1];
      const said = rows.flatMap((row) => parseRow(host, row));
      return { lines: withoutEchoes(said), cursor: cursor ?? after };
    },
  };
}

/** What HAProxy says on its standard error has this before it, and is said to syslog as well. */
const ECHO = /^\[[A-Z]+\] +\(\d+\) : (.*)$/s;

/** Each thing that HAProxy says once. */
function withoutEchoes(lines: readonly JournalLine[]): JournalLine[] {
  const said = new Set(lines.filter(({ unit }) => unit === "haproxy").map(({ text }) => text));
  return lines.filter(({ unit, text }) => {
    const echoed = unit === "haproxy" ? ECHO.exec(text)?.[1] : undefined;
    return echoed === undefined || !said.has(echoed);
  });
}

function parseRow(host: string, row: string): JournalLine[] {
  const entry = JSON.parse(row) as {
    __REALTIME_TIMESTAMP: string;
    SYSLOG_IDENTIFIER?: string;
    // Bytes where it is no text.
    MESSAGE?: string | number[] | null;
  };
  const { MESSAGE: message } = entry;
  const text = Array.isArray(message) ? Buffer.from(message).toString() : (message ?? "");
  const at = Number(entry.__REALTIME_TIMESTAMP) / 1000;
  return [{ at, host, unit: entry.SYSLOG_IDENTIFIER ?? "", text }];
}
