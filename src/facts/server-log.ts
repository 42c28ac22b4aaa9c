// The last thing in a server's log that ended it, in each form that PostgreSQL writes (PostgreSQL, "Where to Log").

/** How a server's languages call things: a message of its catalogs, or several, in every language that the host has. */
export interface Languages {
  /** `FATAL`, `ВАЖНО`, `치명적오류`. */
  readonly fatal: readonly string[];
  /** What stands before a detail or hint: `TIPP:`. */
  readonly more: readonly string[];
  /** What somebody is told who connects while it starts or stops. */
  readonly turnedAway: readonly string[];
  /** What it says where it goes on in a file of its own. */
  readonly elsewhere: readonly string[];
}

/** What a server has said last. */
export interface Said {
  readonly message: string;
  /** Detail and hint. */
  readonly more: readonly string[];
}

/** What somebody is told who connects while it starts, stops or crashes (errcodes: cannot_connect_now …). */
const TURNED_AWAY_STATES = ["57P01", "57P02", "57P03"];

/** In lines, each of which begins with whatever `log_line_prefix` says. */
export function lastOfText(lines: readonly string[], languages: Languages): Said | undefined {
  const { turnedAway } = languages;
  const fatal = new RegExp(`(?:^|\\s)(?:${anyOf(languages.fatal)}): +(.*)$`);
  const more = new RegExp(`(?:^|\\s)(?:${anyOf(languages.more.map((one) => one.trim()))}) *(.*)$`);
  const said = (line: string) => fatal.exec(line)?.[1];
  const at = lines.findLastIndex((line) => {
    const words = said(line);
    return words !== undefined && !turnedAway.some((one) => words.startsWith(one));
  });
  if (at < 0) return undefined;
  const rest = lines.slice(at + 1).map((line) => more.exec(line)?.[1]);
  const end = rest.indexOf(undefined);
  return {
    message: said(lines[at] ?? "") ?? "",
    more: rest.slice(0, end < 0 ? undefined : end).flatMap((words) => words ?? []),
  };
}

function anyOf(words: readonly string[]): string {
  return words.map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("|");
}

interface Entry {
  readonly severity: string;
  readonly state: string;
  /** `postmaster`, `startup`, `client backend`. */
  readonly process: string;
  readonly message: string;
  readonly detail?: string;
  readonly hint?: string;
}

function lastOf(entries: readonly Entry[], { fatal }: Languages): Said | undefined {
  const last = entries.findLast(
    ({ severity, state, process }) =>
      fatal.includes(severity) &&
      process !== "client backend" &&
      !TURNED_AWAY_STATES.includes(state),
  );
  return (
    last && { message: last.message, more: [last.detail, last.hint].flatMap((one) => one || []) }
  );
}

/** An object a line; keys without a value are absent, and the severity is in English (utils/error/jsonlog.c). */
export function lastOfJson(text: string, languages: Languages): Said | undefined {
  const entries = text.split("\n").flatMap((line): Entry[] => {
    try {
      const found = JSON.parse(line) as { readonly [key: string]: unknown };
      const of = (key: string) => String(found[key] ?? "");
      return [
        {
          ...{ severity: of("error_severity"), state: of("state_code") },
          ...{ process: of("backend_type"), message: of("message") },
          ...{ detail: of("detail"), hint: of("hint") },
        },
      ];
    } catch {
      // The first one may be cut.
      return [];
    }
  });
  return lastOf(entries, languages);
}

/** Columns of a csvlog, from 0 (PostgreSQL, "Using CSV-Format Log Output"). */
const COLUMN = { severity: 11, state: 12, message: 13, detail: 14, hint: 15, process: 23 };

/** Rows of fields, which may be in quotes and then hold line ends; what is cut at the beginning is left out. */
export function lastOfCsv(text: string, languages: Languages): Said | undefined {
  const begin = /^\d{4}-\d{2}-\d{2} [^,\n]*,/m.exec(text)?.index ?? text.length;
  const rows: string[][] = [[]];
  for (const [, quoted, plain, end] of text
    .slice(begin)
    .matchAll(/(?:"((?:[^"]|"")*)"|([^",\n]*))(,|\n|$)/g)) {
    rows.at(-1)?.push(quoted?.replaceAll('""', '"') ?? plain ?? "");
    if (end === "\n") rows.push([]);
  }
  const entries = rows.map((fields): Entry => {
    const of = (at: number) => fields[at] ?? "";
    return {
      ...{ severity: of(COLUMN.severity), state: of(COLUMN.state), message: of(COLUMN.message) },
      ...{ detail: of(COLUMN.detail), hint: of(COLUMN.hint), process: of(COLUMN.process) },
    };
  });
  return lastOf(entries, languages);
}
