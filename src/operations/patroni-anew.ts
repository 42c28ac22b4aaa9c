import { quote } from "../host/shell";

/** Seconds until systemd starts it again by itself are far fewer; the scripts that run first may ask the DCS. */
const SECONDS = 60;

/**
 * Ends Patroni's process and has it begin anew. PostgreSQL goes on: it is none of the processes that the unit's end takes along
 * (KillMode=process), and Patroni finds it running (patroni/postgresql/__init__.py, `_postmaster_proc`). May be run again.
 */
export function beginPatroniAnew(unit: string): string {
  const name = quote(unit);
  return `main() { systemctl show -p MainPID --value -- ${name}; }
old=$(main)
[ "$old" != 0 ] || { systemctl start -- ${name}; exit; }
kill -KILL "$old"
waited=0
until now=$(main) && [ "$now" != "$old" ] && [ "$now" != 0 ]; do
  if [ "$now" = 0 ]; then systemctl start --no-block -- ${name}; fi
  waited=$((waited + 1))
  if [ "$waited" -ge ${SECONDS} ]; then echo "expected Patroni to run again within ${SECONDS} seconds, it does not: journalctl -u ${unit} -n 50" >&2; exit 1; fi
  sleep 1
done`;
}
