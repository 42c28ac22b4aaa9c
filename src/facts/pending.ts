// Settings that wait for a restart, as a server marks them (pg_settings, pending_restart). A mark goes only where a file says again
// what the server runs with (utils/misc/guc.c, GUC_PENDING_RESTART): one whose line has left the files as it had come keeps it
// until the next restart, which it does not need.

/** JSON of the names of all that are marked, in SQL. */
export const MARKED = `(select coalesce(json_agg(name order by name), '[]') from pg_settings where pending_restart)`;

/** Of pg_settings: marked, though a restart would leave it as it is, since no file has it and none had when the server started. */
export const IS_UNCHANGED = `pending_restart
    and lower(name) not in (select lower(name) from pg_file_settings where name is not null)
    and (source <> 'configuration file' or setting is not distinct from boot_val)`;

/** JSON of the names of those. */
export const UNCHANGED = `(select coalesce(json_agg(name order by name), '[]') from pg_settings where ${IS_UNCHANGED})`;
