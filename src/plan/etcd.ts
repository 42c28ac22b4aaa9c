import type { Settings } from "../config/schema";
import { bytesOf } from "../config/size";
import { dcsDirectory, dcsToken, madeDirectory, ownDcsOf } from "../roles/dcs";
import { etcd } from "../roles/etcd";
import { urlsOf } from "./dcs";
import { render } from "./template";
import type { ServicePlan } from "./types";

/** etcd on each of its hosts; none where the DCS is another. */
export function planEtcdServices(settings: Settings): ServicePlan[] {
  const { cluster } = settings;
  const dcs = ownDcsOf(cluster, "etcd");
  if (!dcs) return [];
  const { clientPort, peerPort, quota, compaction } = dcs;
  const members = urlsOf(settings, dcs.members, clientPort);
  const peerUrls = urlsOf(settings, dcs.members, peerPort);
  const dataDirectory = dcsDirectory(cluster, "etcd");
  return Object.entries(members).map(([host, clientUrl]) => ({
    host,
    daemon: "etcd",
    etcd: { dataDirectory, members, peerUrl: peerUrls[host] ?? "" },
    directories: {
      [madeDirectory(cluster, "etcd")]: { mode: "0700", owner: "etcd", group: "etcd" },
    },
    secretFiles: {},
    files: {
      "/etc/default/etcd": {
        ...READ_BY_ALL,
        content: render("etcd/etcd.env", {
          ...{ token: dcsToken(cluster), quota: bytesOf(quota), compaction, clientUrl },
          name: host,
          dataDir: dataDirectory,
          peerUrl: peerUrls[host],
          listenClientUrls: `${clientUrl},http://127.0.0.1:${clientPort}`,
        }),
      },
      [`/etc/systemd/system/${etcd.unit}.d/pgherd.conf`]: {
        ...READ_BY_ALL,
        content: render("etcd/unit.conf", {}),
      },
    },
  }));
}

const READ_BY_ALL = { mode: "0644", owner: "root", group: "root" };
