import { ended, hereDocument, quote, SCRIPT_SHELL } from "./shell";

/**
 * A shell function that prints the first directory on the way to a path, links followed, in which somebody else than
 * root could exchange what root is about to follow; nothing if root alone can. What the path itself names does not
 * count: `DIRECTORY/.` is what lies in a directory. Entries of root's in a directory like /tmp are root's alone.
 */
export const EXCHANGEABLE = `exchangeable() {
  LC_ALL=C namei -l -- "$1" 2>&1 | awk '
    NR == 1 { next }
    is_directory && (owner != "root" || is_open && !(is_sticky && $2 == "root")) { found = name " (" mode " " owner ")"; exit }
    {
      is_directory = /^d/; mode = $1; owner = $2; name = $4
      is_open = substr($1, 9, 1) == "w" || substr($1, 6, 1) == "w" && $3 != "root"
      is_sticky = substr($1, 10, 1) == "t"
    }
    END { if (NR < 2) found = "nothing"; if (found != "") print found }'
}`;

/**
 * Runs a script as root where root alone can exchange what lies at a path, and else as the user whose path it is: then
 * links that somebody has put there lead no further than that user may go anyway.
 * @param path whose last part does not count: `DIRECTORY/.` for what lies in a directory.
 */
export function asOwner(user: string, path: string, script: string): string {
  return `(
${EXCHANGEABLE}
if [ -z "$(exchangeable ${quote(path)})" ]; then set --; else set -- runuser -u ${quote(user)} --; fi
"$@" ${SCRIPT_SHELL} ${hereDocument(ended(script))})`;
}

/** Ends a script unless root alone can exchange what lies at a path. */
export function rootAlone(path: string): string {
  const where = quote(path.replace(/\/\.$/, ""));
  return `{
${EXCHANGEABLE}
found=$(exchangeable ${quote(path)})
if [ -n "$found" ]; then
  printf '%s: expected directories that root alone can change, found %s. Give it to root (chown root, chmod go-w), or choose another place.\\n' ${where} "$found" >&2
  exit 1
fi
}`;
}
