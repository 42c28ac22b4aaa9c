import { z } from "zod";
import type { Probe } from "../host/host";
import { asUser, quote } from "../host/shell";
import { MEMBER_FILE, patroni } from "../roles/patroni";
import { jsonOf } from "./json";
import { lastOfCsv, lastOfJson, lastOfText, type Languages, type Said } from "./server-log";

/** Enough for some starts of PostgreSQL with all that Patroni says about them. */
const LINES = 400;

/** The same in bytes of a file. */
const TAIL = 200_000;

/** The messages as the source has them (utils/error/elog.c, tcop/backend_startup.c, tcop/postgres.c, postmaster/syslogger.c). */
const MESSAGES: Languages = {
  fatal: ["FATAL", "PANIC"],
  more: ["DETAIL:  ", "HINT:  "],
  turnedAway: [
    "the database system is starting up",
    "the database system is shutting down",
    "the database system is in recovery mode",
    "the database system is not accepting connections",
    "the database system is not yet accepting connections",
    "terminating connection due to administrator command",
    "terminating connection due to unexpected postmaster exit",
    "terminating connection due to conflict with recovery",
  ],
  elsewhere: ["redirecting log output to logging collector process"],
};

/** Reads what the catalogs of the server's messages have for these, in all languages and of all versions that are there. */
const TRANSLATE = `import gettext, glob, json, sys
messages = json.loads(sys.argv[1])
catalogs = []
for path in glob.glob("/usr/share/locale/*/LC_MESSAGES/postgres-*.mo"):
    try:
        catalogs.append(gettext.GNUTranslations(open(path, "rb")))
    except (OSError, ValueError):
        pass
print(json.dumps({kind: sorted({one.gettext(text) for one in catalogs for text in texts}) for kind, texts in messages.items()}))`;

/** Prints where the member's data is, as its configuration says. */
const DATA = `import json, re, sys
print(json.loads(re.search(r'^  data_dir: (".*")$', open(sys.argv[1], encoding="utf-8").read(), re.M)[1]))`;

/** The file that a server logs to by itself, of the form that tells most (PostgreSQL, "Log File Location": current_logfiles). */
const OWN_FILE = `cd -- "$data" 2>/dev/null && [ -r current_logfiles ] || exit 0
for form in jsonlog csvlog stderr; do
  path=$(sed -n "s/^$form //p" current_logfiles | head -n 1)
  if [ -n "$path" ] && [ -r "$path" ]; then
    echo "$form $(tail -c ${TAIL} -- "$path" | base64 -w 0)"
    exit 0
  fi
done`;

/**
 * Why PostgreSQL on this host has not started, in its own words and its own language: the last `FATAL` or `PANIC` that stands in
 * Patroni's journal, whose standard error it shares, or in the file that it logs to once it has come so far, with the detail
 * and hint below it. Nothing where it has not said so there.
 */
export const lastWordsProbe: Probe<string | undefined> = {
  // A line for the languages, one for the file, which may hold anything, and the journal.
  script: `python3 -I -c ${quote(TRANSLATE)} ${quote(JSON.stringify(MESSAGES))} 2>/dev/null || echo '{}'
# A host without a member's configuration has no file to look into.
data=$(python3 -I -c ${quote(DATA)} ${MEMBER_FILE} 2>/dev/null) || data=/nonexistent
export data
file=$(${asUser("postgres", OWN_FILE)}) || file=
printf '%s\\n' "$file"
journalctl -q --no-pager -o cat -n ${LINES} -u ${patroni.unit}`,
  parse(output) {
    const [languages = "", file = "", ...journal] = output.split("\n");
    return lastWords(languagesOf(languages), file, journal);
  },
};

const TEXTS = z.array(z.string()).default([]);
const LANGUAGES = z.object({ fatal: TEXTS, more: TEXTS, turnedAway: TEXTS, elsewhere: TEXTS });

/** With the words that each server has. */
function languagesOf(json: string): Languages {
  const found = LANGUAGES.safeParse(jsonOf(json));
  const others = found.success ? found.data : LANGUAGES.parse({});
  const both = (kind: keyof Languages) => [...MESSAGES[kind], ...others[kind]];
  return {
    ...{ fatal: both("fatal"), more: both("more") },
    ...{ turnedAway: both("turnedAway"), elsewhere: both("elsewhere") },
  };
}

/** What stands later: each start begins in the journal, and goes on in the file if it comes so far. */
function lastWords(
  languages: Languages,
  file: string,
  journal: readonly string[],
): string | undefined {
  const [form = "", encoded = ""] = file.split(" ");
  const inFile = FORMS[form]?.(Buffer.from(encoded, "base64").toString("utf8"), languages);
  const handedOver = journal.findLastIndex((line) =>
    languages.elsewhere.some((words) => line.includes(words)),
  );
  const since = lastOfText(journal.slice(handedOver + 1), languages);
  const said = since ?? inFile ?? lastOfText(journal, languages);
  return said && [`FATAL: ${said.message}`, ...said.more].join(" ");
}

const FORMS: {
  readonly [form: string]: (text: string, languages: Languages) => Said | undefined;
} = {
  stderr: (text, languages) => lastOfText(text.split("\n"), languages),
  csvlog: lastOfCsv,
  jsonlog: lastOfJson,
};
