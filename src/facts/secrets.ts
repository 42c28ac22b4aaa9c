// Secrets in a server's configuration. What is found of a server becomes the cluster's, in the DCS and in the stack's
// state, where more people look: what looks like a secret is taken out before anything else sees it.

/** Stands for a value that was taken out. */
export const HIDDEN = "***";

/** Settings that no cluster takes over, and that hold passwords or commands with some. */
const NOT_TAKEN_OVER = [
  ...["primary_conninfo", "restore_command", "archive_cleanup_command", "recovery_end_command"],
];

/** Names of settings, most of them of extensions and applications: `app.jwt_secret`. */
const NAMED = /(^|[._])(password|passwd|passphrase|secrets?|token|api_?key|credentials?)($|[._])/i;
const NAMED_SO_ONLY = /^(password_encryption|ssl_passphrase_command(_supports_reload)?)$/;
const NO_SECRET = /^(-?\d+(\.\d+)?[a-z]*|on|off|true|false|yes|no|)$/i;

/** `PGPASSWORD=x`, `--secret-key=x`, `AWS_SECRET_ACCESS_KEY=x`; but for what is read elsewhere: `password=$(cat file)`. */
const ASSIGNED =
  /(password|passwd|pwd|secret|token|api_?key|access_?key)(-?key)?\w*["']?\s*[=:]\s*(?!["']?[$`])[^\s&]/i;
/** `https://user:x@host/` */
const IN_URL = /:\/\/[^/\s:@]*:[^/\s@]+@/;

/** Options of pg_hba.conf that are secrets (PostgreSQL, "LDAP Authentication", "RADIUS Authentication"). */
const HBA_OPTIONS = /^(ldapbindpasswd|radiussecrets)=.*$/s;

/** The settings of a server that a cluster may take over; of a secret only that there is one. */
export function withoutSecrets(settings: { readonly [name: string]: string }): {
  [name: string]: string;
} {
  return Object.fromEntries(
    Object.entries(settings)
      .filter(([name]) => !NOT_TAKEN_OVER.includes(name))
      .map(([name, value]) => [name, isSecret(name, value) ? HIDDEN : value]),
  );
}

/** Which settings `withoutSecrets` leaves out that say something: their names alone. */
export function leftOut(settings: { readonly [name: string]: string }): string[] {
  return NOT_TAKEN_OVER.filter((name) => (settings[name] ?? "") !== "");
}

function isSecret(name: string, value: string): boolean {
  if (ASSIGNED.test(value) || IN_URL.test(value)) return true;
  return NAMED.test(name) && !NAMED_SO_ONLY.test(name) && !NO_SECRET.test(value);
}

/** An option of a line of pg_hba.conf; of a secret only its name. */
export function optionWithoutSecret(option: string): string {
  return option.replace(HBA_OPTIONS, `$1=${HIDDEN}`);
}
