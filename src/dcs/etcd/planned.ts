import type { PlannedDcs } from "../planned";

/** What files on the hosts say of etcd. Its own settings are in `src/plan/etcd.ts`. */
export const etcdPlanned: PlannedDcs = {
  kind: "etcd",
  // There since 3.0, mended for etcd's version 3 API in 4.0.7 (docs/releases.rst).
  failsafeSince: "4.0.7",
  patroniSettings: (endpoints) =>
    [
      "etcd3:",
      "  hosts:",
      ...endpoints.map((url) => `    - ${JSON.stringify(url.replace(/^\w+:\/\//, ""))}`),
    ].join("\n"),
  script: (endpoints) => ({
    kind: "etcd",
    endpoints: endpoints.join(","),
    begin: `etcd() { ETCDCTL_API=3 etcdctl --endpoints='${endpoints.join(",")}' "$@"; }`,
    read: 'etcd get -w fields "$key"',
    empty: `*'"Value" : ""'*`,
    revision: `sed -n 's/^"ModRevision" : //p'`,
    release: `printf 'mod("%s") = "%s"\\n\\ndel %s\\n\\n\\n' "$key" "$revision" "$key" | etcd txn >/dev/null`,
  }),
  giveLeadAway: "etcd/give-lead-away.sh",
};
