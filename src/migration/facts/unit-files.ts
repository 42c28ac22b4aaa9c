import { packageManager } from "../../distributions/distributions";

/**
 * A script that prints the files, a line each, that somebody has given a unit beside what its package has: drop-ins, and a unit
 * of his own. Not those that hold for every service (systemd.unit(5), "service.d"), nor what is made anew at each start of the
 * host or of the unit.
 * @param unit as a word of the shell.
 */
export function unitFilesScript(unit: string): string {
  return `systemctl show -p FragmentPath -p DropInPaths --value -- ${unit} | tr ' ' '\\n' | while read -r file; do
  case $file in
    "" | */service.d/* | /lib/* | /usr/lib/* | /run/systemd/generator* | /run/systemd/transient/*) continue ;;
  esac
  holder=$(${packageManager.holderOf('"$file"')}) || holder=
  [ -n "$holder" ] || printf '%s\\n' "$file"
done`;
}
