import type { Settings } from "../config/schema";
import { addressOf } from "./addresses";
import { endpoint } from "./template";
import type { DcsPlan } from "./types";

/** Which DCS the cluster has, and where its members take what is asked. */
export function planDcs({ hosts, cluster }: Settings): DcsPlan {
  const { kind, members, clientPort } = cluster.dcs;
  return {
    kind,
    members: Object.fromEntries(
      members.map((host) => [host, `http://${endpoint(addressOf(hosts, host), clientPort)}`]),
    ),
  };
}
