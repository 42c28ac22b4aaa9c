import { longTransactionsProbe, type LongTransaction } from "../facts/activity";
import { oldestSegmentProbe, slotSegmentsProbe } from "../facts/slot-wal";
import type { PatroniClusterInputs } from "../resources/inputs/patroni-cluster";
import { askPostgres } from "./cluster-view";
import type { Context } from "./context";

/** A transaction that has been open for this many seconds may be what keeps a slot's WAL. */
const OPEN_SECONDS = 10;

/**
 * Tells of logical slots whose WAL replicas do not have, since it is older than their copies of the data, and who keeps it
 * there: Patroni copies a slot's state only (patroni/postgresql/slots.py, copy_logical_slots). After a failover their consumers could
 * not go on, and a slot that is in use is copied again and again, with a restart of the replica each time. All of it ends
 * by itself when the consumers have come further than the replicas' copies of the data.
 */
export async function tellUnservedSlots(
  context: Context,
  urn: string,
  { members, port, configuration }: PatroniClusterInputs,
  leader: string,
): Promise<void> {
  const slots = Object.values((configuration.slots ?? {}) as { [name: string]: { type?: string } });
  if (!slots.some(({ type }) => type === "logical")) return;
  const needed = await askPostgres(context, leader, slotSegmentsProbe(port));
  if (!needed) return;
  const found = await Promise.all(
    Object.keys(members).map(async (name): Promise<[string, string[]]> => {
      // One that is just being restarted says nothing.
      const oldest = (await askPostgres(context, name, oldestSegmentProbe(port))) ?? 0;
      return [name, Object.keys(needed).filter((slot) => (needed[slot] ?? 0) < oldest)];
    }),
  );
  const unserved = Object.fromEntries(found.filter(([, names]) => names.length > 0));
  if (Object.keys(unserved).length === 0) return;
  const open = await askPostgres(context, leader, longTransactionsProbe(port, OPEN_SECONDS));
  context.warn(urn, describeUnserved(unserved, open?.[0]));
}

/** @param unserved names of slots by member. @param open the transaction that has been open for longest. Exported for its tests. */
function describeUnserved(
  unserved: { readonly [member: string]: readonly string[] },
  open?: LongTransaction,
): string {
  const slots = [...new Set(Object.values(unserved).flat())].sort().join(", ");
  const held =
    open &&
    ` ${open.user} in ${open.database} has had a transaction open for ${open.seconds} s (process ${open.pid}), which keeps it there: end it.`;
  return (
    `${Object.keys(unserved).join(", ")}: the WAL of logical slots ${slots} begins before these members' copies of the data. ` +
    "Until their consumers have come further, they could not go on after a failover, and a replica may be restarted " +
    `again and again, whenever Patroni copies a slot that is in use.${held ?? ""} A slot that nobody reads any more is ` +
    "dropped by: SELECT pg_drop_replication_slot('…'), and taken out of pgherd:cluster.postgresql.slots."
  );
}
