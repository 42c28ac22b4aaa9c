/**
 * What a member's PostgreSQL can do.
 * `serving`: it takes connections, as the leader or as a replica. `changing`: it starts, stops or is copied.
 * `stopped`, `failed`: it does not run, and Patroni says so. `silent`: its Patroni does not answer.
 * `unknown`: nothing is known that would tell, or it is told in a word that pgherd does not know.
 */
export type Condition = "serving" | "changing" | "stopped" | "failed" | "silent" | "unknown";

/** In place of a state, where a host is reached and its Patroni does not answer, or is gone from the DCS. */
export const NO_ANSWER = "no answer";

/** What Patroni says of a server that runs and that it cannot ask (patroni/api.py, get_postgresql_status). */
export const NOT_TO_BE_ASKED = "unknown";

/** Of a replica that streams; Patroni that does not tell yet says `running`, as of one that does not. */
export const STREAMING = "streaming";

const ARCHIVE_RECOVERY = "in archive recovery";

/**
 * Patroni's words for it, of 3.0 to 4.1: `PostgresqlState` (patroni/postgresql/misc.py; before 4.1 the calls of
 * `set_state` in patroni/postgresql and patroni/ha.py), and those of `replication_state_from_parameters`, which
 * `GET /cluster` shows in their place for a replica that runs (patroni/utils.py, cluster_as_json). A replica that has a
 * `restore_command` and does not stream at the moment is in archive recovery, as every one is during a failover.
 */
const CONDITIONS: { readonly [state: string]: Condition } = {
  running: "serving",
  [STREAMING]: "serving",
  [ARCHIVE_RECOVERY]: "serving",
  "initializing new cluster": "changing",
  "running custom bootstrap script": "changing",
  "starting after custom bootstrap": "changing",
  "creating replica": "changing",
  starting: "changing",
  restarting: "changing",
  stopping: "changing",
  stopped: "stopped",
  "initdb failed": "failed",
  "custom bootstrap failed": "failed",
  "start failed": "failed",
  "restart failed": "failed",
  "stop failed": "failed",
  crashed: "failed",
  [NO_ANSWER]: "silent",
};

/** What a state says that a member can do. @param state of Patroni's, e.g. `restart failed (starting)`, or {@link NO_ANSWER} */
export function conditionOf(state: string): Condition {
  // Before 4.1 what it was before stands behind it (patroni/postgresql/__init__.py, restart).
  const word = state.replace(/ \(.*\)$/, "");
  return Object.hasOwn(CONDITIONS, word) ? (CONDITIONS[word] as Condition) : "unknown";
}

/** Whether PostgreSQL in this state leads, or follows its leader by streaming as far as Patroni tells. */
export function follows(state: string): boolean {
  return serves(state) && state !== ARCHIVE_RECOVERY;
}

/** Whether PostgreSQL takes connections in this state. */
export function serves(state: string): boolean {
  return conditionOf(state) === "serving";
}

/** Whether a member's PostgreSQL takes connections, as far as is known. */
export function isUp({ state }: { readonly state: string }): boolean {
  return serves(state);
}

/**
 * Name of the member that leads and takes writes: the one rule, whoever has seen the cluster.
 * @param seen nothing where nobody has.
 */
export function leaderOf(seen: Seen | undefined): string | undefined {
  return seen?.members.find((member) => member.role === "leader" && isUp(member))?.name;
}

/**
 * Name of the member that leads a standby cluster (Patroni's `standby_leader`): it streams from a server outside, and takes no
 * writes, nor can it be made to by handing a lead over.
 */
export function standbyLeaderOf(seen: Seen | undefined): string | undefined {
  return seen?.members.find((member) => member.role === "standby_leader" && isUp(member))?.name;
}

interface Seen {
  readonly members: readonly {
    readonly name: string;
    readonly role: string;
    readonly state: string;
  }[];
}
