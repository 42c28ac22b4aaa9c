import { INCLUDED, INCLUDED_SUMS } from "../facts/included-files";
import { asUser, quote, words } from "../../host/shell";
import type { Source } from "../inputs/source";

/**
 * Keeps what a server reads from elsewhere, such as `/etc/shared/tuning.conf`. Others may read that too, and root writes to
 * no path that a server has told: it is looked at before a rollback, and told.
 */
export function keepIncluded({ files = [], ...source }: Source): string {
  const { configDirectory, hbaFile, identFile, dataDirectory } = source;
  const kept = [hbaFile, identFile, `${dataDirectory}/postgresql.auto.conf`];
  const rest = files.filter((file) => !kept.includes(file));
  if (rest.length === 0) return "";
  const put = (program: string) => `set --
own=$(readlink -f -- ${quote(configDirectory)})
for file in ${words(rest)}; do
  # It may be gone by now.
  real=$(readlink -f -- "$file") || continue
  # What postgres can replace there is kept with the rest.
  case $real in "$own"/*) [ ! -w "\${real%/*}" ] || continue ;; esac
  if [ -f "$real" ] && [ -r "$real" ]; then set -- "$@" "\${real#/}"; fi
done
[ $# = 0 ] || ${program} -- "$@"`;
  return `{
${asUser("postgres", put("tar -C / -cf -"))}
} >${INCLUDED}
{
${asUser("postgres", put("sha256sum"))}
} >${INCLUDED_SUMS}
sync ${INCLUDED} ${INCLUDED_SUMS}`;
}
