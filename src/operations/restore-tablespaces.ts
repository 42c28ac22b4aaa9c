import { dirname } from "node:path";
import type { MovedPlaces } from "../facts/restore-record";
import type { Place } from "../facts/tablespaces";
import { asOwner } from "../host/ownership";
import { quote } from "../host/shell";
import { holdsAnything, moveBack, moveBeside } from "./directories";

export const NO_PLACES: MovedPlaces = { aside: [], made: [] };

/** A place that a restore empties or fills, as it is before. */
export interface WantedPlace extends Place {
  /** The tablespace of the backup that comes there; none where only a tablespace of the present data is. */
  readonly tablespace?: string;
  /** Bytes that come there. */
  readonly size: number;
}

/** A directory of PostgreSQL's in a tablespace: `PG_17_202406281` (common/relpath.h, TABLESPACE_VERSION_DIRECTORY). */
function versionDirectory(version: number): RegExp {
  return new RegExp(`^PG_${version}_\\d+$`);
}

/** Why a member's places cannot be emptied and filled, a sentence each. */
export function placeProblems(
  member: string,
  dataDirectory: string,
  version: number,
  places: readonly WantedPlace[],
): string[] {
  const elsewhere = ({ tablespace }: WantedPlace, better = "PATH") =>
    tablespace === undefined
      ? "Drop that tablespace first, if nothing is in it any more, or move it by hand"
      : `Another place for it: --tablespace ${tablespace}:${better}`;
  const within = (path: string, outer: string) => `${path}/`.startsWith(`${outer}/`);
  return places.flatMap((place) => {
    const { path, kind, owner, mounted, holds, beside } = place;
    const wrong = (expected: string, better?: string) =>
      `${member}: ${path}: expected ${expected}. ${elsewhere(place, better)}.`;
    if (within(path, dataDirectory) || within(dataDirectory, path)) {
      return wrong(`a place apart from the data directory ${dataDirectory}, for a tablespace`);
    }
    const twin = places.find((one) => one !== place && within(path, one.path));
    if (twin) return wrong(`no other tablespace in ${twin.path}, for a tablespace`);
    if (kind === "other") return wrong("a directory, found something else");
    if (kind === "directory" && owner !== "postgres") {
      return wrong(`a directory of the user postgres, found one of ${owner}`);
    }
    if (mounted) {
      return wrong(
        "a directory that can be set aside, found a file system of its own",
        `${path}/restored`,
      );
    }
    const strange = holds.filter((name) => !versionDirectory(version).test(name));
    if (strange.length > 0) {
      return wrong(
        `nothing in it but a tablespace of PostgreSQL ${version}, found ${strange.slice(0, 3).join(", ")}`,
      );
    }
    return beside !== "" ? wrong(`a place beside it for what is there, but ${beside}`) : [];
  });
}

/** What has to be done to places without problems. */
export function movesOf(places: readonly WantedPlace[]): MovedPlaces {
  const of = (kind: Place["kind"]) =>
    places.filter((one) => one.kind === kind).map(({ path }) => path);
  return { aside: of("directory"), made: of("absent") };
}

/** Moves what is there beside its place and makes empty directories, once. */
export function setPlacesAside({ aside, made }: MovedPlaces, suffix: string): string {
  return [
    ...aside.map(
      (path) => `if ${absent(`${path}.${suffix}`)}; then
${moveBeside("postgres", path, suffix)}
fi
${make(path)}`,
    ),
    ...made.map(make),
  ].join("\n");
}

/**
 * Puts back what was set aside, and what came in its place beside it. A Patroni that has given a restore up has moved
 * that to `PATH.failed`, where it may (patroni/postgresql/__init__.py, move_data_directory). It may be run again.
 * @param begun when the restore began, in seconds since 1970.
 */
export function putPlacesBack(
  { aside, made }: MovedPlaces,
  suffix: string,
  failed: string,
  begun: number,
): string {
  return [
    ...aside.map(
      (path) => `if ! { ${absent(`${path}.${suffix}`)}; }; then
${clear(path, failed, begun)}
${moveBack("postgres", path, suffix)}
fi`,
    ),
    ...made.map((path) => clear(path, failed, begun)),
  ].join("\n");
}

function clear(path: string, failed: string, begun: number): string {
  const [at, givenUp, kept] = [path, `${path}.failed`, `${path}.${failed}`].map(quote);
  return `if ${holdsAnything("postgres", path)}; then
${moveBeside("postgres", path, failed)}
else
${asOwner("postgres", `${dirname(path)}/.`, `[ ! -d ${at} ] || rmdir ${at}`)}
fi
if [ -d ${givenUp} ] && [ ! -e ${kept} ] && [ "$(stat -c %Z ${givenUp})" -ge ${begun} ]; then
${asOwner("postgres", `${dirname(path)}/.`, `mv -T ${givenUp} ${kept}`)}
fi
[ ! -d ${kept} ] || echo ${kept}`;
}

function make(path: string): string {
  const at = quote(path);
  return asOwner(
    "postgres",
    `${dirname(path)}/.`,
    `[ -d ${at} ] || { mkdir -m 0700 ${at}; [ "$(id -u)" != 0 ] || chown postgres:postgres ${at}; }`,
  );
}

function absent(path: string): string {
  return `[ ! -e ${quote(path)} ] && [ ! -L ${quote(path)} ]`;
}
