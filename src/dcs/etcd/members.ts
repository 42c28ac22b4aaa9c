import { asOwner } from "../../host/ownership";
import { words } from "../../host/shell";
import { etcd } from "../../roles/etcd";
import { encoded } from "../base64";
import type { DcsMembers, DcsPlace } from "../dcs";
import { etcdctl } from "./etcdctl";
import { clientOf, type EtcdClient } from "./request";

/** The members of etcd. */
export function membersAt(place: DcsPlace): DcsMembers {
  const { endpoints } = place;
  const client = clientOf(place);
  return {
    unit: etcd.unit,
    user: etcd.user,

    /**
     * By pages of etcd's own: one that refuses the connection costs no time, while etcdctl tries it for seconds. Its page
     * /health is not asked: that one is false as long as there is an alarm, and a member whose database is full takes part
     * all the same (etcd/server/etcdserver/api/etcdhttp/health.go).
     */
    healthyProbe() {
      const asks = endpoints.map(
        (url) =>
          // Who may not read the key is told so by one who takes part (etcdserver/v3_server.go, Range).
          `{ ${readPage(client, url, 5, "-s")} | grep -q -e '"header"' -e 'permission denied' && echo ${words([url])}; } &`,
      );
      return {
        script: `${client.begin}${[...asks, "wait"].join("\n")}`,
        parse(output) {
          const healthy = output.split("\n");
          return endpoints.filter((endpoint) => healthy.includes(endpoint));
        },
      };
    },

    memberProbe(url) {
      const status = `curl -sf --max-time 4 -d '{}' ${words([`${url}/v3/maintenance/status`])}`;
      const metrics = `curl -sf --max-time 4 ${words([`${url}/metrics`])}`;
      return {
        // A page that does not come is of a member that is not healthy, and of which nobody knows the rest.
        script: [
          `${readPage(client, url, 4)} >/dev/null && echo healthy`,
          `${status} && echo`,
          `${metrics} | grep '^etcd_server_quota_backend_bytes '`,
        ]
          // The same as said above of each of them.
          .map((line) => `{ ${line} || :; }`)
          .join("\n"),
        parse(output) {
          const said = /^\{.*\}$/m.exec(output)?.[0] ?? "{}";
          const { header, leader, dbSize, dbSizeInUse, errors } = JSON.parse(said) as {
            header?: { member_id?: string };
            leader?: string;
            dbSize?: string;
            dbSizeInUse?: string;
            errors?: readonly string[];
          };
          const quota = /^etcd_server_quota_backend_bytes (\S+)$/m.exec(output)?.[1];
          const alarms = (errors ?? []).flatMap((one) => /\balarm:(\w+)/.exec(one)?.[1] ?? []);
          return {
            healthy: /^healthy$/m.test(output),
            leader: leader !== undefined && leader === header?.member_id,
            databaseBytes: dbSize === undefined ? undefined : Number(dbSize),
            usedBytes: dbSizeInUse === undefined ? undefined : Number(dbSizeInUse),
            quotaBytes: quota === undefined ? undefined : Number(quota),
            alarms: [...new Set(alarms)],
          };
        },
      };
    },

    membershipProbe: () => ({
      script: `${etcdctl(endpoints)} member list -w json`,
      parse(output) {
        // Ids are 64-bit numbers, more than a JavaScript number can hold.
        const { header, members } = JSON.parse(
          output.replace(/"(cluster_id|ID)":(\d+)/g, '"$1":"$2"'),
        ) as {
          header: { cluster_id: string };
          members: {
            ID: string;
            name?: string;
            peerURLs?: string[];
            clientURLs?: string[];
            isLearner?: boolean;
          }[];
        };
        return {
          clusterId: BigInt(header.cluster_id).toString(16),
          members: members.map(({ ID, name, peerURLs, clientURLs, isLearner }) => ({
            id: BigInt(ID).toString(16),
            name: name ?? "",
            peerUrl: peerURLs?.[0] ?? "",
            clientUrl: clientURLs?.[0] ?? "",
            learner: isLearner ?? false,
          })),
        };
      },
    }),

    /** By its log: only without one etcd reads how its cluster begins (etcd/server/etcdserver/bootstrap.go, `haveWAL`). */
    hasDataProbe(dataDirectory) {
      const look = `for log in ${words([dataDirectory])}/member/wal/*.wal; do
  if [ -e "$log" ]; then echo found; exit; fi
done`;
      return {
        script: asOwner("etcd", `${dataDirectory}/member/wal/.`, look),
        parse: (output) => output.trim() === "found",
      };
    },
    removeByHand: (id) => `sudo etcdctl member remove ${id}`,
    recoverByHand: "restore a snapshot there: etcdutl snapshot restore",
  };
}

/** Asks one member for a key, by its own page: it answers if a majority confirms what it says. */
function readPage({ ask }: EtcdClient, url: string, seconds: number, how = "-sf"): string {
  const body = JSON.stringify({ key: encoded("health") });
  return `${ask(words([url]))} ${how} --max-time ${seconds} -d ${words([body])} ${words([`${url}/v3/kv/range`])}`;
}
