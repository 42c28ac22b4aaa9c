import type { Probe } from "../host/host";
import { hereDocument, quote } from "../host/shell";
import { MEMBER_FILE, patroni, slotOf } from "../roles/patroni";
import { psql } from "../facts/postgres";
import { literal } from "../facts/sql";

// What is done on hosts when a member leaves.

/**
 * Has Patroni no longer choose this member to confirm commits, by its own file: who confirms instead is seen to before it is
 * stopped. Nothing where the file is gone. Where the file says so already Patroni may not have read it yet.
 */
export function confirmNoMore(): string {
  const file = quote(MEMBER_FILE);
  return [
    `[ -f ${file} ] || exit 0`,
    `sed -n '/^tags:/,$p' ${file} | grep -qx '  nosync: true' || sed -i '/^tags:/,$ s/^  nosync: .*$/  nosync: true/' ${file}`,
    `systemctl reload ${quote(patroni.unit)}`,
  ].join("\n");
}

/** Physical slots on a server with the names of these members, and whether somebody streams from them. */
export function memberSlotsProbe(
  port: number,
  members: readonly string[],
): Probe<{ readonly [slot: string]: boolean }> {
  const names = members.map((name) => literal(slotOf(name))).join(", ");
  const sql = `select coalesce(json_object_agg(slot_name, active), '{}')
  from pg_catalog.pg_replication_slots where slot_type = 'physical' and not temporary and slot_name in (${names});
`;
  return {
    script: `cd / && ${psql(port, "postgres")} ${hereDocument(sql)}`,
    parse: (output) => JSON.parse(output) as { [slot: string]: boolean },
  };
}
