import { etcd } from "../../roles/etcd";
import type { PlannedDcs } from "../planned";

/** What files on the hosts say of etcd. */
export const etcdPlanned: PlannedDcs = {
  kind: "etcd",
  memberFiles: ({ name, dataDirectory, clientUrl, clientPort, peerUrls, ...settings }) => ({
    "/etc/default/etcd": {
      template: "etcd/etcd.env",
      values: {
        ...settings,
        name,
        dataDir: dataDirectory,
        peerUrl: peerUrls[name],
        clientUrl,
        listenClientUrls: `${clientUrl},http://127.0.0.1:${clientPort}`,
        initialCluster: Object.entries(peerUrls)
          .map(([member, url]) => `${member}=${url}`)
          .join(","),
      },
    },
    [`/etc/systemd/system/${etcd.unit}.d/pgherd.conf`]: { template: "etcd/unit.conf", values: {} },
  }),
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
