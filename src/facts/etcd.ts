import type { Probe } from "../host/host";
import { asOwner } from "../host/ownership";
import { words } from "../host/shell";

const ETCDCTL = "ETCDCTL_API=3 etcdctl --dial-timeout=2s --command-timeout=4s";

/** The etcdctl command for these endpoints: `["http://10.89.0.11:2379"]`. */
export function etcdctl(endpoints: readonly string[]): string {
  return `${ETCDCTL} --endpoints=${words([endpoints.join(",")])}`;
}

/** Endpoints that take part in a healthy cluster: they answer, and a majority confirms their reads. */
export function healthyEndpointsProbe(endpoints: readonly string[]): Probe<string[]> {
  return {
    // It fails as soon as one of them is not healthy, and an endpoint that it tells nothing of is not.
    script: `${etcdctl(endpoints)} endpoint health -w json 2>/dev/null || :`,
    parse(output) {
      if (output.trim() === "") return [];
      const answers = JSON.parse(output) as { endpoint: string; health: boolean }[];
      return answers.filter(({ health }) => health).map(({ endpoint }) => endpoint);
    },
  };
}

/**
 * The same by etcd's own page, for moments at which most do not answer: one that refuses the connection costs no time,
 * while etcdctl tries it for seconds.
 */
export function healthPagesProbe(endpoints: readonly string[]): Probe<string[]> {
  return {
    script: `for url in ${words(endpoints)}; do
  { curl -sf --max-time 5 "$url/health" | grep -q '"health": *"true"' && echo "$url"; } &
done
wait`,
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
  /** Bytes of its database. */
  readonly databaseBytes?: number;
}

/** The etcd member behind this client URL, by its own pages: nobody else has to answer. */
export function dcsMemberProbe(url: string): Probe<DcsMember> {
  const page = (path: string) => `curl -sf --max-time 4 ${words([`${url}/${path}`])}`;
  return {
    // A page that does not come is of a member that is not healthy, and whose size nobody knows.
    script: `${page("health")} || :; echo; ${page("metrics")} | grep -E '^etcd_(server_is_leader|mvcc_db_total_size_in_bytes) ' || :`,
    parse(output) {
      const metric = (name: string) => new RegExp(`^${name} (\\S+)$`, "m").exec(output)?.[1];
      const size = metric("etcd_mvcc_db_total_size_in_bytes");
      return {
        healthy: /"health": ?"true"/.test(output),
        leader: metric("etcd_server_is_leader") === "1",
        databaseBytes: size === undefined ? undefined : Number(size),
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
