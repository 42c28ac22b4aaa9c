import type { Settings } from "../config/schema";
import type { DcsAddress, Unnamed } from "../dcs/dcs";
import { namedKind } from "../roles/dcs";
import { addressOf } from "./addresses";
import { endpoint } from "./template";
import type { DcsPlan } from "./types";

/** Which DCS the cluster has, and where its members take what is asked. */
export function planDcs(settings: Settings): DcsPlan {
  const { kind, clientPort } = settings.cluster.dcs;
  return { kind, members: urlsOf(settings, clientPort) };
}

/** The DCS as resources name it: etcd, which is in the states of all stacks so far, without its kind. */
export function dcsAddress({ kind, members }: DcsPlan): Unnamed<DcsAddress> {
  return { ...namedKind(kind), endpoints: Object.values(members) };
}

/** A port of each member: `{ db1: "http://10.89.0.11:2379" }`. */
export function urlsOf({ hosts, cluster }: Settings, port: number): { [host: string]: string } {
  return Object.fromEntries(
    cluster.dcs.members.map((host) => [host, `http://${endpoint(addressOf(hosts, host), port)}`]),
  );
}
