import { dcsOf, type Dcs } from "../dcs/dcs";
import { ConnectError } from "../errors";
import { BACKUP_UNITS } from "../facts/barman";
import { psql } from "../facts/postgres";
import type { Places } from "../facts/places";
import { restoreRecordProbe, type FoundRestore, type RestoreRecord } from "../facts/restore-record";
import { askEach, type Asked } from "../operations/ask";
import { askDcs } from "../operations/dcs";
import { commitOnce } from "../operations/restore";
import { forgetRestore, noteRestore, startMember, stopMember } from "../operations/restore-data";
import type { RestorableCluster } from "./restore-plan";

// What a restore, its way back and its end have in common.

/** As long as the largest database takes. */
export const RESTORE_SECONDS = 24 * 3600;

/** Stopping writes all that is dirty. */
export const STOP = { timeoutSeconds: 3700 };

export function placesOf({ places }: Pick<RestorableCluster, "places">, name: string): Places {
  const found = places[name];
  if (!found) throw new Error(`${name} is no member`);
  return found;
}

export function dataOf(cluster: Pick<RestorableCluster, "places">, name: string): string {
  return placesOf(cluster, name).dataDirectory;
}

/** Of the time, as part of a name: `20261121T143000Z`. */
export function stampOf(at: Date): string {
  return at.toISOString().replace(/[-:]|\.\d+/g, "");
}

/** What members say of a restore that is under way or was cut off there. */
interface Restores {
  readonly found: { readonly [member: string]: FoundRestore };
  /** Members that cannot be reached, each with why. */
  readonly silent: Asked<unknown>["silent"];
}

export async function observeRestores(
  cluster: Pick<RestorableCluster, "plan" | "host">,
): Promise<Restores> {
  const members = Object.keys(cluster.plan.patroni.members);
  const { answers, silent } = await askEach(cluster, members, (host) =>
    host.observe(restoreRecordProbe),
  );
  const found = Object.entries(answers).flatMap(([name, record]) =>
    record ? [[name, record] as const] : [],
  );
  return { found: Object.fromEntries(found), silent };
}

/** Writes on all members how far the restore has come. */
export async function note(cluster: RestorableCluster, record: RestoreRecord): Promise<void> {
  await onEach(cluster, record.members, "noting the restore", () => noteRestore(record));
}

/** Without the record of the first member it has come to its end, and only records are left. */
export async function forget(
  cluster: RestorableCluster,
  { first }: Pick<RestoreRecord, "first">,
  members: readonly string[],
): Promise<void> {
  const action = "ending the restore";
  await onEach(
    cluster,
    members.filter((name) => name === first),
    action,
    forgetRestore,
  );
  await onEach(
    cluster,
    members.filter((name) => name !== first),
    action,
    forgetRestore,
  );
}

/** Replicas first, so that none takes over from the leader. */
export async function stopAll(
  cluster: RestorableCluster,
  { first, members }: Pick<RestoreRecord, "first" | "members">,
  leads: boolean,
): Promise<void> {
  const { plan, host, progress } = cluster;
  if (leads) {
    const commit = commitOnce(psql(plan.patroni.port, "postgres"));
    await host(first).change("marking the end", commit);
  }
  progress("stopping the replicas");
  const replicas = members.filter((name) => name !== first);
  await Promise.all(replicas.map((name) => stop(cluster, name)));
  if (!members.includes(first)) return;
  progress(`stopping ${first}`);
  await stop(cluster, first);
}

async function stop(cluster: RestorableCluster, name: string): Promise<void> {
  await cluster.host(name).change("stopping Patroni", stopMember(placesOf(cluster, name)), STOP);
}

export async function start(cluster: RestorableCluster, members: readonly string[]): Promise<void> {
  await onEach(cluster, members, "starting Patroni", startMember);
}

/**
 * Has the backup host receive nothing: what a restore writes before it is accepted may not get into the archive. The data
 * from before would follow the timeline that it found there, once it is put back (access/transam/xlogrecovery.c,
 * recovery_target_timeline "latest", which Patroni sets for every start).
 */
export async function receiveNothing({ backup, host, progress }: RestorableCluster): Promise<void> {
  progress(`${backup.host} receives no WAL meanwhile`);
  await host(backup.host).change("ending WAL reception", `systemctl stop ${BACKUP_UNITS.receiver}`);
}

/** Has the backup host receive again; one that cannot be reached is told of, and holds nothing up. */
export async function receiveAgain({ backup, host, progress }: RestorableCluster): Promise<void> {
  try {
    const script = `systemctl start ${BACKUP_UNITS.receiver}`;
    await host(backup.host).change("beginning WAL reception", script);
  } catch (error) {
    if (!(error instanceof ConnectError)) throw error;
    progress(
      `${backup.host} cannot be reached, and may receive no WAL: systemctl start ${BACKUP_UNITS.receiver}`,
    );
  }
}

/** Changes members at once. All have come to their end when it does, even if one has failed. */
export async function onEach(
  { host }: Pick<RestorableCluster, "host">,
  members: readonly string[],
  action: string,
  script: (name: string) => string,
  hear?: (name: string, said: string) => void,
): Promise<void> {
  const done = await Promise.allSettled(
    members.map(async (name) => {
      const said = await host(name).change(action, script(name));
      hear?.(name, said);
    }),
  );
  for (const one of done) if (one.status === "rejected") throw one.reason;
}

/** Changes something in the DCS, by any host that gets an answer from it. */
export async function onDcs(
  { plan, host }: Pick<RestorableCluster, "plan" | "host">,
  action: string,
  script: (dcs: Dcs, cluster: string) => string,
  { except = [] }: { readonly except?: readonly string[] } = {},
): Promise<void> {
  const { dcs, patroni } = plan;
  const all = [...Object.keys(dcs.members), ...Object.keys(patroni.members)];
  const text = script(dcsOf(dcs), plan.name);
  const names = all.filter((one) => !except.includes(one));
  await askDcs({ host }, names, (one) => one.change(action, text));
}
