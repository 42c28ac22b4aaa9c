/**
 * Whether a server's archiving fails, in SQL: its last attempt has, or one hangs: a segment has been waiting for a minute, in
 * which none was archived.
 */
export const ARCHIVING_FAILS = `SELECT coalesce(last_failed_time > coalesce(last_archived_time, '-infinity'), false)
  OR coalesce(last_archived_time, '-infinity') < now() - interval '1 minute' AND EXISTS (SELECT FROM pg_ls_archive_statusdir()
    WHERE name LIKE '%.ready' AND modification < now() - interval '1 minute') FROM pg_stat_archiver;
`;

/**
 * Ends a server. It waits for its archiver, which tries what fails up to six times more, each as long as the command takes:
 * one that fails anyway is ended then. What was not archived is by the server that starts. One that works is left to its end:
 * a file that it has copied in part may keep it from ever copying that one again (`test ! -f`). Wants `failing` in the shell's
 * variables, `t` where ARCHIVING_FAILS.
 * @param control pg_ctl, and the directory, as words of the shell.
 */
export function stopServer(control: string, data: string): string {
  return `postmaster=$(runuser -u postgres -- head -n 1 ${data}/postmaster.pid)
runuser -u postgres -- ${control} -s stop -m fast -W -D ${data}
tenths=0
while runuser -u postgres -- ${control} status -D ${data} >/dev/null; do
  tenths=$((tenths + 1))
  [ $tenths -le 6000 ] || { echo "PostgreSQL in "${data}" has not ended within 600 s" >&2; exit 1; }
  if [ "$failing" = t ] && [ $tenths -gt 20 ]; then
    # It may have ended by now.
    archiver=$(pgrep -u postgres -P "$postmaster" -f 'postgres: .*archiver' || :)
    # It leads a session (postmaster/fork_process.c), in which is all that it runs.
    [ -z "$archiver" ] || runuser -u postgres -- pkill -s "$archiver" || :
  fi
  sleep 0.1
done`;
}
