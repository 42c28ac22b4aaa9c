import { catalogOfBackupsProbe } from "../facts/barman";
import { backupTablespacesProbe, placeProbe, type BackupTablespace } from "../facts/tablespaces";
import { quote } from "../host/shell";
import { findRecovery } from "../operations/recovery-window";
import { sizeOf } from "../operations/words";
import type { BootstrapInput } from "../resources/inputs/preflight";
import type { Context } from "./context";
import type { FoundHost } from "./found-host";
import { WITH_USER } from "../migration/provider/target-rules";

/** Beside the database: the WAL that is replayed. */
const HEADROOM = 1.1;

/** Why a new cluster cannot begin with the backup that it is to begin with; nothing once it has begun. */
export async function judgeBootstrap(
  context: Context,
  wish: BootstrapInput,
  seen: readonly FoundHost[],
): Promise<string[]> {
  const members = seen.filter(({ requirement }) => requirement.dataDirectory);
  if (members.some(({ facts }) => facts.data.found)) return [];
  const host = context.host(wish.host);
  const { home, binDirectory, target, time, backup: id } = wish;
  const catalog = await host.observe(catalogOfBackupsProbe(home, home));
  const { backup, refusals } = await findRecovery(
    { host: wish.host, home, binDirectory, catalog },
    {
      target,
      time: time ?? undefined,
      backup: id ?? undefined,
      saidBy: "pgherd:cluster.postgresql.bootstrap.target.",
    },
    (probe) => host.observe(probe),
  );
  if (!backup || refusals.length > 0) return [...refusals];
  const { version, size } = backup;
  const needed = size * HEADROOM;
  return [
    ...(version === wish.version
      ? []
      : [
          `pgherd:cluster.postgresql.version: expected ${version}, as backup ${backup.id} on ${wish.host} is of, got ${wish.version}. Set it to ${version}.`,
        ]),
    ...members
      .filter(({ facts }) => facts.disk.free < needed)
      .map(
        ({ host: name, facts }) =>
          `${name}: expected ${sizeOf(needed)} of free space for backup ${backup.id}, found ${sizeOf(facts.disk.free)}. Make room, or use another host.`,
      ),
    ...(backup.tablespaces
      ? await withoutPlaces(
          context,
          members.map(({ host: name }) => name),
          await host.observe(backupTablespacesProbe(home, backup.id)),
        )
      : []),
  ];
}

/** Members without a place for a tablespace: Patroni, which fills it, can make none where root alone may. */
async function withoutPlaces(
  context: Context,
  members: readonly string[],
  tablespaces: readonly BackupTablespace[],
): Promise<string[]> {
  const found = await Promise.all(
    members.flatMap((name) =>
      tablespaces.map(async ({ name: tablespace, location, size }) => {
        if (!/^\/[^\p{Cc}]+$/u.test(location)) {
          return `tablespace ${tablespace}: expected an absolute path, found "${location}".`;
        }
        const { kind, owner, holds, free } = await context.host(name).observe(placeProbe(location));
        if (kind !== "directory" || owner !== "postgres" || holds.length > 0) {
          return (
            `${name}: expected an empty directory of the user postgres for tablespace ${tablespace} in ${location}, found none. ` +
            `Run there: ${WITH_USER}install -d -o postgres -g postgres -m 0700 ${quote(location)}`
          );
        }
        return free < size * HEADROOM
          ? `${name}: expected ${sizeOf(size * HEADROOM)} of free space for tablespace ${tablespace} in ${location}, found ${sizeOf(free)}.`
          : "";
      }),
    ),
  );
  return found.filter((problem) => problem !== "");
}
