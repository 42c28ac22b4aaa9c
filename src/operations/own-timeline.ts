import type { Places } from "../facts/places";
import { asOwner } from "../host/ownership";
import { quote, words } from "../host/shell";

// Data that is put back after a restore was undone leads again beside an archive that may know the restore's timelines.
// A server follows the newest timeline that it finds there (recovery_target_timeline "latest", which Patroni sets for
// every start), and cannot start if that one left its own before the end of what it has. So it begins a timeline of its
// own first, with a number that nobody has used: then "latest" is its own, for it and for those that follow it.

/**
 * Ends the recovery of data whose server was shut down in order on a new timeline, with PostgreSQL alone: nobody can
 * connect, no worker runs, and it is stopped again.
 * @param history a command that gets the history of a timeline from the archive, as restore_command.
 */
export function beginTimeline(
  { dataDirectory, binDirectory, configDirectory }: Places,
  history: string,
): string {
  const settings: { readonly [name: string]: string } = {
    config_file: `${configDirectory ?? dataDirectory}/postgresql.conf`,
    // Its own timeline, as its control file has it (facts/control-file.ts), whatever the archive has; a number that the archive does not have for the new one.
    recovery_target_timeline: "current",
    recovery_target_action: "promote",
    ...{ recovery_target: "", recovery_target_lsn: "", recovery_target_name: "" },
    ...{ recovery_target_time: "", recovery_target_xid: "", recovery_min_apply_delay: "0" },
    restore_command: `case %f in *.history) exec ${history} ;; esac; exit 1`,
    ...{ primary_conninfo: "", hot_standby: "off", synchronous_standby_names: "" },
    ...{ listen_addresses: "", shared_preload_libraries: "", ssl: "off", logging_collector: "off" },
    ...{ archive_mode: "off", autovacuum: "off", max_logical_replication_workers: "0" },
  };
  const options = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const script = `data=${quote(dataDirectory)}
ctl() { LC_ALL=C ${quote(`${binDirectory}/pg_ctl`)} -D "$data" -w -t 3600 "$@"; }
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT
echo 'local all all reject' >"$work/pg_hba.conf"
rm -f "$data/standby.signal"
: >"$data/recovery.signal"
if ! ctl -s -l "$work/log" -o "${withinQuotes(words(options))} -c unix_socket_directories=$work -c hba_file=$work/pg_hba.conf" start; then
  tail -n 20 "$work/log" >&2
  exit 1
fi
# Without hot_standby pg_ctl waits for the beginning of the recovery only (postmaster.c, PMSIGNAL_RECOVERY_STARTED).
until LC_ALL=C ${quote(`${binDirectory}/pg_controldata`)} -D "$data" | grep -q '^Database cluster state: *in production'; do
  if ! ctl status >/dev/null; then
    tail -n 20 "$work/log" >&2
    exit 1
  fi
  sleep 0.2
done
ctl -s -m fast stop`;
  return asOwner("postgres", `${dataDirectory}/.`, script);
}

/** A text between double quotes of the shell. */
function withinQuotes(text: string): string {
  return text.replace(/[\\$"`]/g, "\\$&");
}
