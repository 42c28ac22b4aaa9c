import type { Probe } from "../host/host";
import { asOwner } from "../host/ownership";
import { words } from "../host/shell";

const ETCDCTL = "ETCDCTL_API=3 etcdctl --dial-timeout=2s --command-timeout=4s";

/** The etcdctl command for these endpoints: `["http://10.89.0.11:2379"]`. */
export function etcdctl(endpoints: readonly string[]): string {
  return `${ETCDCTL} --endpoints=${words([endpoints.join(",")])}`;
}

/** Asks one member for a key, by its own page: it answers if a majority confirms what it says. */
function readPage(url: string, seconds: number): string {
  const key = Buffer.from("health").toString("base64");
  return `curl -sf --max-time ${seconds} -d ${words([JSON.stringify({ key })])} ${words([`${url}/v3/kv/range`])}`;
}

/**
 * Client URLs of members that take part in a majority, by pages of etcd's own: one that refuses the connection costs no time,
 * while etcdctl tries it for seconds. Its page /health is not asked: that one is false as long as there is an alarm, and a
 * member whose database is full takes part all the same (etcd/server/etcdserver/api/etcdhttp/health.go).
 */
export function healthPagesProbe(endpoints: readonly string[]): Probe<string[]> {
  const asks = endpoints.map(
    (url) => `{ ${readPage(url, 5)} | grep -q '"header"' && echo ${words([url])}; } &`,
  );
  return {
    script: [...asks, "wait"].join("\n"),
    parse(output) {
      const healthy = output.split("\n");
      return endpoints.filter((endpoint) => healthy.includes(endpoint));
    },
  };
}

/** An etcd member as it tells itself. */
export interface DcsMember {
  /** Whether it takes part in a majority. */
  readonly healthy: boolean;
  /** Whether it leads the others: an election takes place when it goes. */
  readonly leader: boolean;
  /** Bytes of its database, what is free in it included. */
  readonly databaseBytes?: number;
  /** Bytes of it that are in use; the rest is given back by a defragmentation. */
  readonly usedBytes?: number;
  /** Bytes that the database may have: beyond them the alarm NOSPACE is raised. */
  readonly quotaBytes?: number;
  /** Alarms of the whole cluster: `["NOSPACE"]` forbids all writes. */
  readonly alarms: readonly string[];
}

/** The etcd member behind this client URL, by its own pages: nobody else has to answer. */
export function dcsMemberProbe(url: string): Probe<DcsMember> {
  const status = `curl -sf --max-time 4 -d '{}' ${words([`${url}/v3/maintenance/status`])}`;
  const metrics = `curl -sf --max-time 4 ${words([`${url}/metrics`])}`;
  return {
    // A page that does not come is of a member that is not healthy, and of which nobody knows the rest.
    script: [
      `${readPage(url, 4)} >/dev/null && echo healthy`,
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
}

/**
 * Whether a member has a log. One that has none is at its very beginning, whatever else lies in its directory: only then
 * etcd reads how its cluster begins (etcd/server/etcdserver/bootstrap.go, `haveWAL`).
 */
export function logProbe(dataDirectory: string): Probe<boolean> {
  const look = `for log in ${words([dataDirectory])}/member/wal/*.wal; do
  if [ -e "$log" ]; then echo found; exit; fi
done`;
  return {
    script: asOwner("etcd", `${dataDirectory}/member/wal/.`, look),
    parse: (output) => output.trim() === "found",
  };
}

/** The etcd membership. */
export interface EtcdMembership {
  /** Same for all members, and for the life of the cluster. */
  readonly clusterId: string;
  readonly members: readonly EtcdMember[];
}

/** A member, as the membership has it. */
export interface EtcdMember {
  /** In hexadecimal digits, as etcdctl takes it: `8211f1d0f64f3269`. */
  readonly id: string;
  /** Empty while it has been added and has not started yet. */
  readonly name: string;
  readonly peerUrl: string;
  /** Empty while it has never started. */
  readonly clientUrl: string;
}

export function membershipProbe(endpoints: readonly string[]): Probe<EtcdMembership> {
  return {
    script: `${etcdctl(endpoints)} member list -w json`,
    parse(output) {
      // Ids are 64-bit numbers, more than a JavaScript number can hold.
      const { header, members } = JSON.parse(
        output.replace(/"(cluster_id|ID)":(\d+)/g, '"$1":"$2"'),
      ) as {
        header: { cluster_id: string };
        members: { ID: string; name?: string; peerURLs?: string[]; clientURLs?: string[] }[];
      };
      return {
        clusterId: BigInt(header.cluster_id).toString(16),
        members: members.map(({ ID, name, peerURLs, clientURLs }) => ({
          id: BigInt(ID).toString(16),
          name: name ?? "",
          peerUrl: peerURLs?.[0] ?? "",
          clientUrl: clientURLs?.[0] ?? "",
        })),
      };
    },
  };
}

/** A key with the revision of its last change; `undefined` if there is no such key. */
export function keyProbe(
  endpoints: readonly string[],
  key: string,
): Probe<{ value: string; revision: string } | undefined> {
  return {
    script: `${etcdctl(endpoints)} get -w json ${words([key])}`,
    parse(output) {
      const { kvs } = JSON.parse(
        output.replace(/"mod_revision":(\d+)/g, '"mod_revision":"$1"'),
      ) as {
        kvs?: { value?: string; mod_revision: string }[];
      };
      const found = kvs?.[0];
      return (
        found && {
          value: Buffer.from(found.value ?? "", "base64").toString(),
          revision: found.mod_revision,
        }
      );
    },
  };
}
