import { asOwner } from "../../host/ownership";
import { words } from "../../host/shell";
import { consul } from "../../roles/consul";
import type { DcsMember, DcsMembers, DcsPlace } from "../dcs";
import { jsonOf } from "../../facts/json";
import { identityOf, localAgent } from "./local";
import { operatorPage, page, request } from "./request";

/** https://developer.hashicorp.com/consul/api-docs/operator/autopilot#read-health */
interface Health {
  readonly Servers?: readonly {
    /** `10.89.0.11:8300` */
    readonly Address: string;
    readonly Leader: boolean;
    readonly Healthy: boolean;
    readonly Voter: boolean;
  }[];
}

/** https://developer.hashicorp.com/consul/api-docs/operator/raft#read-configuration */
interface Configuration {
  readonly Servers: readonly {
    readonly ID: string;
    readonly Node: string;
    readonly Address: string;
  }[];
}

/** The servers of Consul. Any of them is asked about all, by the agent of the host. */
export function membersAt(place: DcsPlace): DcsMembers {
  const { endpoints, existing } = place;
  // As the server that leads sees them; where none leads, or nobody answers, none is healthy. An answer that tells of a
  // server that is not healthy has the code 429.
  const url = `${localAgent(place)}/v1/operator/autopilot/health`;
  const health = `${operatorPage(url)} | sed '$d'`;
  return {
    unit: consul.unit,
    user: consul.user,

    healthyProbe: () => ({
      // Who votes in one of somebody else's is nobody's to ask; that somebody leads, each agent tells.
      script: existing ? page(identityOf(place), `${localAgent(place)}/v1/status/leader`) : health,
      parse: (output) => {
        if (existing) return /^"[^"\s]+"\s+200\s*$/.test(output) ? [...endpoints] : [];
        const found = serversIn(output);
        return endpoints.filter((url) => found.get(hostIn(url))?.healthy);
      },
    }),

    memberProbe: (url) => ({
      script: health,
      parse: (output) => serversIn(output).get(hostIn(url)) ?? AWAY,
    }),

    membershipProbe: () => ({
      script: request(place, "/operator/raft/configuration"),
      parse: (output) => ({
        // It has no id of its own.
        clusterId: "",
        members: (JSON.parse(output) as Configuration).Servers.map(({ ID, Node, Address }) => ({
          id: ID,
          // Who is away, and of whom a leader that has started since has heard nothing, is told by his address only.
          name: Node === "(unknown)" ? "" : Node,
          peerUrl: `http://${Address}`,
          clientUrl: `http://${Address}`,
          learner: false,
        })),
      }),
    }),

    /** By its log, of either of its two kinds (agent/consul/server.go, `setupRaft`). */
    hasDataProbe(dataDirectory) {
      const look = `for log in ${words([dataDirectory])}/raft/raft.db ${words([dataDirectory])}/raft/wal/*; do
  if [ -e "$log" ]; then echo found; exit; fi
done`;
      return {
        script: asOwner(consul.user, `${dataDirectory}/raft/.`, look),
        parse: (output) => output.trim() === "found",
      };
    },

    removeByHand: (id) =>
      `sudo consul operator raft remove-peer -id=${id} -token-file=TOKEN, with the management token`,
    recoverByHand: 'write raft/peers.json there: Consul\'s documentation, "Disaster recovery"',
  };
}

const AWAY: DcsMember = { healthy: false, leader: false, alarms: [] };

/** Servers by their address. One that does not vote yet is not healthy: it takes no part in a majority. */
function serversIn(output: string): Map<string, DcsMember> {
  const servers = health(output).Servers ?? [];
  return new Map(
    servers.map(({ Address, Leader, Healthy, Voter }) => [
      hostIn(`http://${Address}`),
      { healthy: Healthy && Voter, leader: Leader, alarms: [] },
    ]),
  );
}

/** What is no such answer is a server without a leader, which says so in words. */
function health(output: string): Health {
  return (jsonOf(output) ?? {}) as Health;
}

function hostIn(url: string): string {
  return new URL(url).hostname;
}
