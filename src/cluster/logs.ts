import { journalProbe, type JournalLine, type JournalOptions } from "../facts/journal";
import type { Hosts } from "../operations/drain";
import { ROLES } from "../roles/roles";

export type { JournalLine, JournalOptions };

/** What daemons on a host have said (`["patroni", "etcd"]`), and the place in its journal up to which this was. */
export function readLog(
  hosts: Hosts,
  host: string,
  daemons: readonly string[],
  options: JournalOptions,
): Promise<{ readonly lines: JournalLine[]; readonly cursor?: string }> {
  const units = ROLES.filter(({ name }) => daemons.includes(name)).flatMap((role) => role.journal);
  return hosts.host(host).observe(journalProbe(host, units, options));
}
