import { ended, hereDocument, SCRIPT_SHELL, words } from "./shell";

/**
 * A shell function that prints a line for each path: empty where root alone can exchange what lies there, else the first
 * directory on the way, links followed, in which somebody else can. What a path itself names does not count:
 * `DIRECTORY/.` is what lies in a directory. What is root's in a directory like /tmp nobody else can exchange.
 */
export const EXCHANGEABLE = `exchangeable() {
  LC_ALL=C namei -l -- "$@" 2>&1 | awk '
    function judge(owner_of_entry) {
      if (found == "" && is_directory && (owner != "root" || is_open && !(is_sticky && owner_of_entry == "root")))
        found = name " (" mode " " owner ")"
    }
    /^f: / { if (NR > 1) print found; found = ""; is_directory = 0; next }
    {
      judge($2)
      is_directory = /^d/; mode = $1; owner = $2; name = $4
      is_open = substr($1, 9, 1) == "w" || substr($1, 6, 1) == "w" && $3 != "root"
      is_sticky = substr($1, 10, 1) == "t"
    }
    END { print (NR > 0 ? found : "nothing") }'
}`;

/**
 * A shell function that runs a command as root where root alone can exchange what lies at a path, and else as the user
 * whose path it is: then links that somebody has put there lead no further than that user may go anyway.
 * Usage: `owning USER PATH COMMAND…`
 */
export const OWNING = `${EXCHANGEABLE}
owning() {
  if [ -z "$(exchangeable "$2")" ]; then set -- "" "$@"
  # A user who is not there yet owns nothing, and whoever has no rights stands in.
  else set -- "runuser -u $(id -un "$1" 2>/dev/null || echo nobody) --" "$@"; fi
  as=$1
  shift 3
  $as "$@"
}`;

/**
 * The same for a script.
 * @param path whose last part does not count: `DIRECTORY/.` for what lies in a directory.
 */
export function asOwner(user: string, path: string, script: string): string {
  return `{
${OWNING}
owning ${words([user, path])} ${SCRIPT_SHELL} ${hereDocument(ended(script))}}`;
}

/** Ends a script unless root alone can exchange what lies at these paths. */
export function rootAlone(...paths: readonly string[]): string {
  return `${EXCHANGEABLE}
exchangeable ${words(paths)} | {
  code=0
  for path in ${words(paths)}; do
    IFS= read -r found
    [ -n "$found" ] || continue
    code=1
    printf '%s: expected directories that root alone can change, found %s. Give it to root (chown root, chmod go-w), or choose another place.\\n' "\${path%/.}" "$found" >&2
  done
  exit $code
} || exit 1`;
}
