import { asUser, hereDocument, quote } from "../host/shell";
import { SECRETS_FILE } from "../roles/patroni";

/** Restarts PostgreSQL on this member, if something waits for it; ends when it runs again, or fails. */
export function restartPostgres(endpoint: string): string {
  return request("POST", endpoint, "restart", { restart_pending: true });
}

/** Restarts PostgreSQL on this member, whether something waits for it or not. */
export function restartAnyway(endpoint: string): string {
  return request("POST", endpoint, "restart", {});
}

/** Makes this member read its files again: Patroni's own and PostgreSQL's. */
export function reloadMember(endpoint: string): string {
  return request("POST", endpoint, "reload", {});
}

/** Has this member delete its data and copy the leader's; ends when it has begun. The leader refuses. */
export function reinitialize(endpoint: string): string {
  return request("POST", endpoint, "reinitialize", { force: true });
}

/** Hands the lead over; ends when the candidate leads, or fails and everything stays as it was. */
export function switchOver(endpoint: string, leader: string, candidate: string): string {
  return request("POST", endpoint, "switchover", { leader, candidate });
}

/** Has Patroni hand the lead over at a time of its own. @param at with the time zone: `2026-11-22T02:00:00.000Z` */
export function scheduleSwitchover(
  endpoint: string,
  leader: string,
  candidate: string,
  at: string,
): string {
  return request("POST", endpoint, "switchover", { leader, candidate, scheduled_at: at });
}

/** Takes a scheduled switchover back. */
export function cancelSwitchover(endpoint: string): string {
  return request("DELETE", endpoint, "switchover", {});
}

/** Makes a candidate lead that Patroni might not choose by itself; ends when it leads, or fails. */
export function failOver(endpoint: string, candidate: string): string {
  return request("POST", endpoint, "failover", { candidate });
}

/** Ends or begins that the cluster is left to itself; the members learn of it in their next round. */
export function setPause(endpoint: string, paused: boolean): string {
  return patchConfiguration(endpoint, { pause: paused || null });
}

/** Changes the dynamic configuration: `{ pause: true }`; a null takes a key away. */
export function patchConfiguration(endpoint: string, changes: object): string {
  return request("PATCH", endpoint, "config", changes);
}

/**
 * A changing call of Patroni's REST API (docs/rest_api.rst), sent on the member itself, as the user whom the password
 * belongs to. The password is in no argument.
 */
function request(
  method: "POST" | "PATCH" | "DELETE",
  endpoint: string,
  path: string,
  body: object,
): string {
  return asUser(
    "postgres",
    [
      `password=$(sed -n '/^restapi:/,/^postgresql:/s/^ *password: "\\(.*\\)"$/\\1/p' ${quote(SECRETS_FILE)})`,
      // Each further line would be an option of curl's. What pgherd makes is letters and digits (components/passwords.ts).
      `case "$password" in '' | *[!A-Za-z0-9]*) echo ${quote(`${SECRETS_FILE}: expected one password of the REST API, of letters and digits. pulumi up --refresh writes the file anew.`)} >&2; exit 1 ;; esac`,
      "body=$(mktemp)",
      "answer=$(mktemp)",
      'trap \'rm -f "$body" "$answer"\' EXIT',
      `cat >"$body" ${hereDocument(`${JSON.stringify(body)}\n`)}`.trimEnd(),
      // Where nothing answers, the status is 000.
      `status=$(printf 'user = "patroni:%s"\\n' "$password" | curl -s -K - -X ${method} -H 'Content-Type: application/json' -d @"$body" -o "$answer" -w '%{http_code}' ${quote(`http://${endpoint}/${path}`)}) || :`,
      // 202 is for what is scheduled; 503 for a restart that nothing waited for any more.
      'case "$status" in 200|202) ;; *) printf "Patroni answered %s: " "$status" >&2; cat "$answer" >&2; exit 1;; esac',
    ].join("\n"),
  );
}
