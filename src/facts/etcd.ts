import type { Probe } from "../host/host";
import { words } from "../host/shell";

const ETCDCTL = "ETCDCTL_API=3 etcdctl --dial-timeout=2s --command-timeout=4s";

/** The etcdctl command for these endpoints: `["http://10.89.0.11:2379"]`. */
export function etcdctl(endpoints: readonly string[]): string {
  return `${ETCDCTL} --endpoints=${words([endpoints.join(",")])}`;
}

/** Endpoints that take part in a healthy cluster: they answer, and a majority confirms their reads. */
export function healthyEndpointsProbe(endpoints: readonly string[]): Probe<string[]> {
  return {
    script: `${etcdctl(endpoints)} endpoint health -w json 2>/dev/null || :`,
    parse(output) {
      if (output.trim() === "") return [];
      const answers = JSON.parse(output) as { endpoint: string; health: boolean }[];
      return answers.filter(({ health }) => health).map(({ endpoint }) => endpoint);
    },
  };
}

/** The etcd membership. */
export interface EtcdMembership {
  /** Same for all members, and for the life of the cluster. */
  readonly clusterId: string;
  /** Client URL by name; an empty URL for a member that has been added and has not started yet. */
  readonly members: { readonly [name: string]: string };
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
        members: { ID: string; name?: string; clientURLs?: string[] }[];
      };
      return {
        clusterId: BigInt(header.cluster_id).toString(16),
        members: Object.fromEntries(
          members.map(({ ID, name, clientURLs }) => [name ?? ID, clientURLs?.[0] ?? ""]),
        ),
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
