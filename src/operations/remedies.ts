/**
 * SQL that somebody else is to run in a session of his own: where his role or database is read-only by default, it would be
 * refused. @param sql with its semicolons
 */
export function toBeRun(sql: string): string {
  return `SET default_transaction_read_only = off; ${sql}`;
}
