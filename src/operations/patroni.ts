import { hereDocument, quote } from "../host/shell";

/** Where a member keeps the password of its REST API; only root and postgres may read it. */
const SECRETS = "/etc/patroni/pgherd/20-secrets.yml";

/** Restarts PostgreSQL on this member, if something waits for it; ends when it runs again, or fails. */
export function restartPostgres(endpoint: string): string {
  return request(endpoint, "restart", { restart_pending: true });
}

/** Hands the lead over; ends when the candidate leads, or fails and everything stays as it was. */
export function switchOver(endpoint: string, leader: string, candidate: string): string {
  return request(endpoint, "switchover", { leader, candidate });
}

/** A changing call of Patroni's REST API (docs/rest_api.rst), sent on the member itself. The password is in no argument. */
function request(endpoint: string, path: string, body: object): string {
  return [
    `password=$(sed -n '/^restapi:/,/^postgresql:/s/^ *password: "\\(.*\\)"$/\\1/p' ${quote(SECRETS)})`,
    "body=$(mktemp) && answer=$(mktemp) || exit 1",
    'trap \'rm -f "$body" "$answer"\' EXIT',
    `cat >"$body" ${hereDocument(`${JSON.stringify(body)}\n`)}`.trimEnd(),
    `status=$(printf 'user = "patroni:%s"\\n' "$password" | curl -s -K - -X POST -H 'Content-Type: application/json' -d @"$body" -o "$answer" -w '%{http_code}' ${quote(`http://${endpoint}/${path}`)})`,
    // 202 is for what is scheduled; 503 for a restart that nothing waited for any more.
    'case "$status" in 200|202) ;; *) printf "Patroni answered %s: " "$status" >&2; cat "$answer" >&2; exit 1;; esac',
  ].join("\n");
}
