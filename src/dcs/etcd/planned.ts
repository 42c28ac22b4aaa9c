import { quote } from "../../host/shell";
import { accessFiles, certificateLines, GIVEN_SECRET } from "../existing";
import type { PlannedDcs } from "../planned";

/** What files on the hosts say of etcd. Its own settings are in `src/plan/etcd.ts`. */
export const etcdPlanned: PlannedDcs = {
  kind: "etcd",
  given: { login: "etcd/login.json", environment: "etcd/etcdctl.env" },
  // There since 3.0, mended for etcd's version 3 API in 4.0.7 (docs/releases.rst).
  failsafeSince: "4.0.7",
  patroniSecret: ({ identity }) =>
    identity?.username === undefined
      ? undefined
      : { block: "etcd3", setting: "password", secret: GIVEN_SECRET, uuid: false },
  patroniSettings(dcs) {
    const { endpoints, identity } = dcs;
    const username = identity?.username;
    return [
      "etcd3:",
      "  hosts:",
      ...endpoints.map((url) => `    - ${JSON.stringify(url.replace(/^\w+:\/\//, ""))}`),
      ...(isEncrypted(endpoints) ? ["  protocol: https"] : []),
      ...(username === undefined ? [] : [`  username: ${JSON.stringify(username)}`]),
      ...certificateLines(dcs),
    ].join("\n");
  },
  // It learns by asking where the others are.
  readAtStart: ({ endpoints }) => (isEncrypted(endpoints) ? "https" : "http"),
  script: ({ endpoints, existing }) => ({
    kind: "etcd",
    endpoints: endpoints.join(","),
    begin: `${
      existing ? `set -a\n. ${quote(accessFiles(existing.access).environment)}\nset +a\n` : ""
    }etcd() { ETCDCTL_API=3 etcdctl --endpoints='${endpoints.join(",")}' "$@"; }`,
    read: 'etcd get -w fields "$key"',
    empty: `*'"Value" : ""'*`,
    revision: `sed -n 's/^"ModRevision" : //p'`,
    release: `printf 'mod("%s") = "%s"\\n\\ndel %s\\n\\n\\n' "$key" "$revision" "$key" | etcd txn >/dev/null`,
  }),
  giveLeadAway: "etcd/give-lead-away.sh",
};

/** All are, or none is: the settings see to it. */
function isEncrypted(endpoints: readonly string[]): boolean {
  return endpoints.every((url) => url.startsWith("https:"));
}
