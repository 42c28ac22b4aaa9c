import { UsageError } from "../errors";
import type { BaseBackup } from "../facts/barman";
import type { MovedPlaces } from "../facts/restore-record";
import {
  backupTablespacesProbe,
  locationsProbe,
  placeProbe,
  type BackupTablespace,
  type Place,
} from "../facts/tablespaces";
import { movesOf, placeProblems, type WantedPlace } from "../operations/restore-tablespaces";
import { sizeOf } from "../operations/words";
import { oneOf } from "../suggest";
import type { RestorableCluster } from "./restore-plan";
import { dataOf } from "./restore-steps";

/** Other places for tablespaces, by name: `{ figures: "/srv/figures2" }`. */
export type Elsewhere = { readonly [tablespace: string]: string };

/** What a restore does with tablespaces. */
export interface TablespacesIntent {
  /** By member; one without any has none. */
  readonly places: { readonly [member: string]: MovedPlaces };
  /** Those that come to another place, as arguments of the script that fills. */
  readonly moved: Elsewhere;
  /** Bytes of all of them in the backup. */
  readonly size: number;
  readonly refusals: readonly string[];
  readonly effects: readonly string[];
  /** What is kept, by member: `["db1", "/srv/figures.before-restore-TIME"]`. */
  readonly kept: readonly (readonly [member: string, folder: string])[];
}

/**
 * Where the tablespaces of a backup come to on each member, and what becomes of what is there. Those of the present data
 * are set aside too, also where the backup has none of them: the WAL that is replayed may make them.
 */
export async function considerTablespaces(
  cluster: RestorableCluster,
  backup: BaseBackup,
  elsewhere: Elsewhere,
): Promise<TablespacesIntent> {
  const { backup: at, host, places } = cluster;
  const members = Object.keys(places);
  const [stored, present] = await Promise.all([
    backup.tablespaces ? host(at.host).observe(backupTablespacesProbe(at.home, backup.id)) : [],
    Promise.all(members.map((name) => host(name).observe(locationsProbe(dataOf(cluster, name))))),
  ]);
  checkNames(stored, elsewhere, backup.id);
  const targets = stored.map((one) => ({ ...one, place: elsewhere[one.name] ?? one.location }));
  // What moves away leaves its old place as it is.
  const left = targets.flatMap(({ location, place }) => (location === place ? [] : location));
  const found = await Promise.all(
    members.map(async (name, i) => {
      const wanted = new Map(targets.map((one) => [one.place, one] as const));
      const others = (present[i] ?? []).filter((one) => !wanted.has(one) && !left.includes(one));
      const asked = [...wanted.keys(), ...others];
      const bad = asked.filter((one) => !/^\/[^\p{Cc}]+$/u.test(one));
      const all = await Promise.all(
        asked
          .filter((one) => !bad.includes(one))
          .map(async (one): Promise<WantedPlace> => ({
            ...(await host(name).observe(placeProbe(one))),
            ...(wanted.has(one) && { tablespace: wanted.get(one)?.name }),
            size: wanted.get(one)?.size ?? 0,
          })),
      );
      // The data directory's parent has the room that is counted for the data itself.
      const data = await host(name).observe(placeProbe(dataOf(cluster, name)));
      return { name, all, data, bad };
    }),
  );
  const kept = found.flatMap(({ name, all }) =>
    movesOf(all).aside.map((path) => [name, `${path}.before-restore-TIME`] as const),
  );
  const moved = Object.fromEntries(
    targets.flatMap(({ name, location, place }) =>
      place === location ? [] : [[name, place] as const],
    ),
  );
  return {
    places: Object.fromEntries(
      found.flatMap(({ name, all }) => {
        const moves = movesOf(all);
        return moves.aside.length + moves.made.length > 0 ? [[name, moves] as const] : [];
      }),
    ),
    moved,
    size: stored.reduce((sum, { size }) => sum + size, 0),
    refusals: found.flatMap(({ name, all, data, bad }) => [
      ...bad.map((one) => `${name}: expected an absolute path of a tablespace, found "${one}".`),
      ...placeProblems(name, data.path, backup.version, all),
      ...withoutRoom(name, backup, stored, all, data),
    ]),
    effects: [
      ...targets.map(
        ({ name, place, size }) => `puts tablespace ${name} into ${place}, ${sizeOf(size)}`,
      ),
      ...Object.keys(moved).map((name) => `leaves the former place of ${name} as it is`),
    ],
    kept,
  };
}

function checkNames(stored: readonly BackupTablespace[], elsewhere: Elsewhere, id: string): void {
  const known = stored.map(({ name }) => name);
  for (const name of Object.keys(elsewhere)) {
    if (known.includes(name)) continue;
    throw new UsageError(
      known.length === 0
        ? `--tablespace ${name}: backup ${id} has no tablespaces.`
        : `--tablespace: expected ${oneOf(known, name)}`,
    );
  }
}

/** File systems of a member's that have no room for what comes there, beside what stays. */
function withoutRoom(
  member: string,
  backup: BaseBackup,
  stored: readonly BackupTablespace[],
  places: readonly WantedPlace[],
  data: Place,
): string[] {
  const dataSize = backup.size - stored.reduce((sum, { size }) => sum + size, 0);
  const systems = new Map(places.map((one) => [one.fileSystem, one.free] as const));
  return [...systems].flatMap(([system, free]) => {
    const here = places.filter(({ fileSystem }) => fileSystem === system);
    const shared = data.fileSystem === system ? dataSize : 0;
    const needed = here.reduce((sum, { size }) => sum + size, shared) * 1.1 + 64 * 2 ** 20;
    if (free >= needed || here.every(({ size }) => size === 0)) return [];
    const names = here.map(({ path }) => path).join(", ");
    return `${member}: expected ${sizeOf(needed)} of free space on ${system} for ${names}, beside what is there, found ${sizeOf(free)}.`;
  });
}
