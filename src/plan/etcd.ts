import { bytesOf } from "../config/size";
import type { Settings } from "../config/schema";
import { distributionOf } from "../distributions/distributions";
import { dcsDirectory } from "../roles/etcd";
import { addressOf } from "./addresses";
import { planDcs } from "./dcs";
import { endpoint, render } from "./template";
import type { ServicePlan } from "./types";

/** The etcd daemon on each of its hosts. */
export function planEtcdServices(settings: Settings): ServicePlan[] {
  const { hosts, cluster } = settings;
  const { members, clientPort, peerPort } = cluster.dcs;
  const data = dcsDirectory(cluster);
  // The user etcd may write below its home only.
  const home = distributionOf(cluster).homes.etcd;
  const directories = data.startsWith(`${home}/`) ? [home] : [data];
  const peer = (host: string) => `http://${endpoint(addressOf(hosts, host), peerPort)}`;
  const etcd = { dataDirectory: data, members: planDcs(settings).members };
  return members.map((host) => ({
    host,
    daemon: "etcd",
    etcd: { ...etcd, peerUrl: peer(host) },
    directories: Object.fromEntries(
      directories.map((path) => [path, { mode: "0700", owner: "etcd", group: "etcd" }]),
    ),
    secretFiles: {},
    files: {
      "/etc/default/etcd": {
        mode: "0644",
        owner: "root",
        group: "root",
        content: render("etcd/etcd.env", {
          name: host,
          dataDir: data,
          token: cluster.dcs.token ?? cluster.name,
          quota: bytesOf(cluster.dcs.quota),
          compaction: cluster.dcs.compaction,
          peerUrl: peer(host),
          clientUrl: `http://${endpoint(addressOf(hosts, host), clientPort)}`,
          listenClientUrls: `http://${endpoint(addressOf(hosts, host), clientPort)},http://127.0.0.1:${clientPort}`,
          initialCluster: members.map((member) => `${member}=${peer(member)}`).join(","),
        }),
      },
      "/etc/systemd/system/etcd.service.d/pgherd.conf": {
        mode: "0644",
        owner: "root",
        group: "root",
        content: render("etcd/unit.conf", {}),
      },
    },
  }));
}
