import type { Settings } from "../config/schema";
import { bytesOf } from "../config/size";
import type { DcsAddress, Unnamed } from "../dcs/dcs";
import { plannedDcs } from "../dcs/planned";
import { distributionOf } from "../distributions/distributions";
import { dcsDirectory, kindOfDcs, namedKind } from "../roles/dcs";
import { addressOf } from "./addresses";
import { endpoint, render } from "./template";
import type { DcsPlan, ServicePlan } from "./types";

/** Which DCS the cluster has, and where its members take what is asked. */
export function planDcs(settings: Settings): DcsPlan {
  const { kind, clientPort } = settings.cluster.dcs;
  return { kind, members: urlsOf(settings, clientPort) };
}

/** The DCS as resources name it: etcd, which is in the states of all stacks so far, without its kind. */
export function dcsAddress({ kind, members }: DcsPlan): Unnamed<DcsAddress> {
  return { ...namedKind(kind), endpoints: Object.values(members) };
}

/** The daemon of the DCS on each of its hosts. */
export function planDcsServices(settings: Settings): ServicePlan[] {
  const { cluster } = settings;
  const { kind, clientPort, peerPort, quota, compaction, token = cluster.name } = cluster.dcs;
  const { role, user } = kindOfDcs(kind);
  const { members } = planDcs(settings);
  const peerUrls = urlsOf(settings, peerPort);
  const dataDirectory = dcsDirectory(cluster);
  // The user of a DCS may write below its home only.
  const home = distributionOf(cluster).homes[user];
  const directory = dataDirectory.startsWith(`${home}/`) ? home : dataDirectory;
  return Object.entries(members).map(([host, clientUrl]) => ({
    host,
    daemon: role,
    etcd: { ...namedKind(kind), dataDirectory, members, peerUrl: peerUrls[host] ?? "" },
    directories: { [directory]: { mode: "0700", owner: user, group: user } },
    secretFiles: {},
    files: Object.fromEntries(
      Object.entries(
        plannedDcs(kind).memberFiles({
          ...{ name: host, dataDirectory, clientUrl, clientPort, peerUrls },
          ...{ token, quota: bytesOf(quota), compaction },
        }),
      ).map(([path, { template, values }]) => [
        path,
        { mode: "0644", owner: "root", group: "root", content: render(template, values) },
      ]),
    ),
  }));
}

/** `{ db1: "http://10.89.0.11:2379" }` */
function urlsOf({ hosts, cluster }: Settings, port: number): { [host: string]: string } {
  return Object.fromEntries(
    cluster.dcs.members.map((host) => [host, `http://${endpoint(addressOf(hosts, host), port)}`]),
  );
}
