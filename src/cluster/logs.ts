import { journalProbe, type JournalLine, type JournalOptions } from "../facts/journal";
import type { Hosts } from "../operations/drain";

export type { JournalLine, JournalOptions };

/** What daemons on a host have said (`["patroni", "etcd"]`), and the place in its journal up to which this was. */
export function readLog(
  hosts: Hosts,
  host: string,
  daemons: readonly string[],
  options: JournalOptions,
): Promise<{ readonly lines: JournalLine[]; readonly cursor?: string }> {
  const units = daemons.flatMap((daemon) => UNITS[daemon] ?? `${daemon}.service`);
  return hosts.host(host).observe(journalProbe(host, units, options));
}

/** Of a daemon that is more than its service. */
const UNITS: { readonly [daemon: string]: readonly string[] } = {
  barman: [
    "pgherd-barman.service",
    "pgherd-barman-tick.service",
    "pgherd-backup.service",
    "pgherd-backup-now.service",
    "pgherd-backup-verify.service",
  ],
};
