import { dirname } from "node:path";
import { asOwner } from "../host/ownership";
import { quote } from "../host/shell";

// Directories of a lesser user are looked into, emptied and renamed as that user, whatever links stand there by now.

/**
 * A command that succeeds if a directory of this user's holds anything; what cannot be looked into does, what a new file
 * system has at its top does not.
 */
export function holdsAnything(user: string, path: string): string {
  return asOwner(
    user,
    `${path}/.`,
    `found=$(LC_ALL=C ls -A -I lost+found ${quote(path)} 2>&1) || case $found in *'No such file or directory') exit 1 ;; esac
[ -n "$found" ]`,
  );
}

/**
 * Gives a directory, a file or a link another name in the directory where it is, as whoever owns that directory;
 * nothing where there is none.
 * @param to as a word of the shell, for the whole new path: `'/srv/main.old'`, or `"/srv/main.$(date +%s)"`.
 * @throws if something has the new name already.
 */
function rename(user: string, path: string, to: string): string {
  const at = quote(path);
  return asOwner(
    user,
    `${dirname(path)}/.`,
    `to=${to}
if [ ! -e ${at} ] && [ ! -L ${at} ]; then exit 0; fi
if [ -e "$to" ] || [ -L "$to" ]; then echo "$to: expected nothing there, found something. Move it away." >&2; exit 1; fi
if mountpoint -q -- ${at}; then echo "$(printf '%s' ${at}): expected a directory that can be renamed, found a file system that is mounted there. Look at what is in it, and empty it: find "${at}" -xdev -mindepth 1 -delete" >&2; exit 1; fi
mv -T ${at} "$to"`,
  );
}

/** Renames what stands at a path within its directory: `main` to `main.SUFFIX`. Nothing where there is none. */
export function moveBeside(user: string, path: string, suffix: string): string {
  return rename(user, path, quote(`${path}.${suffix}`));
}

/** The same, with the host's time at the end of the name: `main.SUFFIX-20261121T143000Z`. */
export function moveBesideWithTime(user: string, path: string, suffix: string): string {
  return rename(user, path, `${quote(`${path}.${suffix}`)}-$(date -u +%Y%m%dT%H%M%SZ)`);
}

/** The way back: renames `main.SUFFIX` to `main`. Nothing where there is no such thing. */
export function moveBack(user: string, path: string, suffix: string): string {
  return rename(user, `${path}.${suffix}`, quote(path));
}

/**
 * Empties a directory of this user's that is a file system of its own. Of a database the files that tell what it is go last,
 * so that it is known for one as long as there is anything of it.
 */
export function emptyInPlace(user: string, path: string): string {
  return asOwner(
    user,
    `${path}/.`,
    `cd -- ${quote(path)}
find . -mindepth 1 -maxdepth 1 ! -name lost+found ! -name global ! -name PG_VERSION -exec rm -rf --one-file-system -- {} +
rm -rf --one-file-system global PG_VERSION`,
  );
}

/** Removes a directory of this user's with all that is in it, on its file system; nothing where there is none. */
export function removeTree(user: string, path: string): string {
  const at = quote(path);
  const empty = `if [ -d ${at} ] && [ ! -L ${at} ]; then find ${at} -xdev -mindepth 1 -delete; fi`;
  const entry = `if [ -L ${at} ]; then rm ${at}; elif [ -e ${at} ]; then rmdir ${at}; fi`;
  return `${asOwner(user, `${path}/.`, empty)}\n${asOwner(user, `${dirname(path)}/.`, entry)}`;
}
