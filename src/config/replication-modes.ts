import type { ClusterSettings } from "./schema";

/** What a mode of replication comes to, wherever something hangs on it. */
interface ReplicationMode {
  /** Whether a commit waits for replicas, as long as there are any. */
  readonly waits: boolean;
  /** Whether writes stop where too few are left to wait for. */
  readonly blocks: boolean;
  /** Patroni's keys of the dynamic configuration (docs/replication_modes.rst). */
  readonly patroni: {
    readonly synchronous_mode: boolean | "quorum";
    readonly synchronous_mode_strict: boolean;
  };
  /** The role of a replica that confirms, as Patroni calls it, and the page that answers 200 there (docs/rest_api.rst). */
  readonly confirming: { readonly role: string; readonly page: string };
  /** The first version of Patroni that has it; an older one takes no notice. */
  readonly since?: string;
}

const BY_NAME = { role: "sync_standby", page: "/sync" };
/** Patroni 4.0: with a quorum no replica is synchronous by name. */
const BY_QUORUM = { role: "quorum_standby", page: "/quorum" };

const MODES: { readonly [mode in ClusterSettings["replication"]["mode"]]: ReplicationMode } = {
  asynchronous: {
    waits: false,
    blocks: false,
    patroni: { synchronous_mode: false, synchronous_mode_strict: false },
    confirming: BY_NAME,
  },
  synchronous: {
    waits: true,
    blocks: false,
    patroni: { synchronous_mode: true, synchronous_mode_strict: false },
    confirming: BY_NAME,
  },
  strict: {
    waits: true,
    blocks: true,
    patroni: { synchronous_mode: true, synchronous_mode_strict: true },
    confirming: BY_NAME,
  },
  // As long as it is not strict, Patroni waits for fewer where fewer are there (quorum.py, __remove_gone_nodes).
  quorum: {
    waits: true,
    blocks: false,
    patroni: { synchronous_mode: "quorum", synchronous_mode_strict: false },
    confirming: BY_QUORUM,
    since: "4.0.0",
  },
};

export function replicationMode({
  replication,
}: Pick<ClusterSettings, "replication">): ReplicationMode {
  return MODES[replication.mode];
}

/** Whether commits wait for a replica in this cluster; a single member has none. */
export function commitsWait(cluster: Pick<ClusterSettings, "replication" | "members">): boolean {
  return replicationMode(cluster).waits && cluster.members.length > 1;
}
