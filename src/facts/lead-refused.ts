import type { Probe } from "../host/host";
import { patroni } from "../roles/patroni";

/** Lines of the journal: Patroni says some in each of its rounds. */
const LINES = 200;
const SHOWN = 5;

/** A line of Patroni's own: PostgreSQL and its programs write to the same journal, and have no comma in their times. */
const PATRONIS = /^\S+ \S+,\d+ (INFO|WARNING|ERROR): (.*)$/;

/**
 * What the leader's Patroni has said against a member's lead in the last seconds, in its own words. Its REST API says no more
 * than that a switchover has failed (patroni/api.py, poll_failover_result; patroni/ha.py, is_failover_possible).
 */
export function leadRefusedProbe(candidate: string, seconds: number): Probe<string[]> {
  return {
    script: `journalctl -q --no-pager -o cat -n ${LINES} --since=-${Math.ceil(seconds)}s -u ${patroni.unit}`,
    parse(output) {
      const said = output.split("\n").flatMap((line) => {
        const [, level, text = ""] = PATRONIS.exec(line) ?? [];
        const counts =
          level === "INFO" ? new RegExp(`\\bmember ${candidate}\\b`, "i").test(text) : level;
        return counts ? [text.replace(/\p{Cc}+/gu, " ")] : [];
      });
      return [...new Set(said)].slice(-SHOWN);
    },
  };
}
