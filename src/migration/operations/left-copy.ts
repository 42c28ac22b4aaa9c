import { dirname } from "node:path";
import { ANY_HOST, forMajor } from "../../distributions/distributions";
import { asOwner } from "../../host/ownership";
import { quote, words } from "../../host/shell";
import { emptyInPlace, holdsAnything, moveBesideWithTime } from "../../operations/directories";
import { serverProcess } from "../facts/adoption";
import type { Source } from "../inputs/source";

/**
 * Moves a data directory aside that an earlier migration has left, and its tablespaces; nothing where Patroni runs or there
 * is none. What is a file system of its own cannot be moved, and is emptied where it is, if it is a copy of this server
 * that has only ever followed.
 */
export function setAsideCopy(
  dataDirectory: string,
  { systemIdentifier, tablespaces }: Pick<Source, "systemIdentifier" | "tablespaces">,
): string {
  const places = tablespaces ?? [];
  return `if systemctl -q is-active patroni; then exit 0; fi
${places.map(clearTop).join("\n")}
if ! ${holdsAnything("postgres", dataDirectory)}; then exit 0; fi
if [ -n "$(${serverProcess(dataDirectory)})" ]; then
  echo "PostgreSQL runs in "${quote(dataDirectory)}"; stop it first" >&2
  exit 1
fi
for place in ${words([dataDirectory, ...places])}; do
  if mountpoint -q -- "$place"; then
${asOwner("postgres", `${dataDirectory}/.`, demandCopy(dataDirectory, systemIdentifier))} || exit 1
    break
  fi
done
${places.map(setAsideTablespace).join("\n")}
${setAside(dataDirectory)}`;
}

/** A copy of the server that has never led has nothing that the server has not, nor has one that was broken off. */
function demandCopy(dataDirectory: string, systemIdentifier: string): string {
  return `cd -- ${quote(dataDirectory)}
state=
if [ -e global/pg_control ]; then
  version=$(cat PG_VERSION)
  case $version in '' | *[!0-9]*) version=none ;; esac
  # The program may not be there, nor a file that is whole.
  told=$(LC_ALL=C "${forMajor(ANY_HOST.paths.programs, "$version")}/pg_controldata" -D . 2>&1) || :
  identifier=$(printf '%s\n' "$told" | sed -n 's/^Database system identifier: *//p')
  state=$(printf '%s\n' "$told" | sed -n 's/^Database cluster state: *//p')
  if [ "$identifier" = ${quote(systemIdentifier)} ]; then
    case $state in 'shut down in recovery' | 'in archive recovery') exit 0 ;; esac
  fi
  state="database $identifier, $state"
# pg_basebackup copies pg_control last; what was broken off while it was emptied has this left.
elif [ -e backup_label ] || [ -z "$(ls -A -I lost+found -I global -I PG_VERSION)" ]; then exit 0
fi
echo ${quote(dataDirectory)}": expected a copy of database "${quote(systemIdentifier)}" that has only ever followed, which is emptied in place where it or a tablespace is a file system of its own, found \${state:-something else}. Nothing was touched. Look at what is in it, and empty it and the places of its tablespaces." >&2
exit 1`;
}

/** What a new disk of a tablespace has at its top; pg_basebackup wants nothing there. fsck makes another one when it needs it. */
function clearTop(location: string): string {
  const top = quote(`${location}/lost+found`);
  const clear = `if mountpoint -q -- ${quote(location)} && [ -d ${top} ] && ! rmdir ${top}; then
  echo ${quote(location)}": expected nothing in lost+found, so that a tablespace can be copied there. Look at what fsck has found, and remove it." >&2
  exit 1
fi`;
  return `${asOwner("postgres", `${location}/.`, clear)} || exit 1`;
}

/** Moves what an older copy has left of a tablespace aside, and makes its directory anew: a copy begins with an empty one. */
function setAsideTablespace(location: string): string {
  const make = `[ -d ${quote(location)} ] || { install -d -m 0700 ${quote(location)} && chown postgres:postgres ${quote(location)}; }`;
  return `if ${holdsAnything("postgres", location)}; then
${setAside(location)}
${asOwner("postgres", `${dirname(location)}/.`, make)}
fi`;
}

function setAside(path: string): string {
  return `if mountpoint -q -- ${quote(path)}; then
${emptyInPlace("postgres", path)}
else
${moveBesideWithTime("postgres", path, "before-migration")}
fi`;
}
