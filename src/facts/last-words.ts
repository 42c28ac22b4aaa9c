import type { Probe } from "../host/host";

/** Enough for some starts of PostgreSQL with all that Patroni says about them. */
const LINES = 400;

/**
 * Why PostgreSQL on this host has not started, in its own words: the last `FATAL` or `PANIC` that stands in Patroni's journal,
 * whose standard error it shares, with the detail and hint below it. Nothing where it has not said so there: it may write
 * its log elsewhere, or in words of another language.
 */
export const lastWordsProbe: Probe<string | undefined> = {
  script: `journalctl -q --no-pager -o cat -n ${LINES} -u patroni.service`,
  parse: lastWords,
};

/** Before it stands what `log_line_prefix` says. */
const FATAL = /(?:^|\s)(?:FATAL|PANIC): +(.*)$/;

/** What somebody is told who connects while it starts or stops (src/backend/tcop/backend_startup.c): of no interest here. */
const TURNED_AWAY = /^the database system is |^terminating connection /;

const MORE = /(?:^|\s)(DETAIL|HINT): +(.*)$/;

function lastWords(output: string): string | undefined {
  const lines = output.split("\n");
  const said = (line: string) => FATAL.exec(line)?.[1];
  const at = lines.findLastIndex((line) => {
    const words = said(line);
    return words !== undefined && !TURNED_AWAY.test(words);
  });
  if (at < 0) return undefined;
  const more: string[] = [];
  for (const line of lines.slice(at + 1)) {
    const [, kind, words = ""] = MORE.exec(line) ?? [];
    if (kind === undefined) break;
    more.push(words);
  }
  return [`FATAL: ${said(lines[at] ?? "")}`, ...more].join(" ");
}
