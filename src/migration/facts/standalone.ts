import type { Probe } from "../../host/host";
import { hereDocument } from "../../host/shell";
import type { StandbyInputs } from "../inputs/standby";
import type { Condition } from "../../facts/member-state";
import { findServer } from "../../facts/find-server";
import { ORIGINAL } from "./source";
import { literal } from "../../facts/sql";

/** Seconds for the question whether it serves: one that hangs does not. */
const ASK_SECONDS = 5;

/** Which server stands alone, and the slot of those that followed it, if any did. */
export type Standalone = Pick<StandbyInputs, "host" | "port" | "superuser"> &
  Partial<Pick<StandbyInputs, "slot">>;

const RUNNING = "running";

/** A server that stands alone, as it is now. */
export interface StandaloneServer {
  readonly condition: Condition;
  /** The same in words: `running`, `not running`, `does not answer`. */
  readonly state: string;
  readonly takesWrites: boolean;
  /** Why it takes no writes, or why that is not known; what of a migration is left on it. */
  readonly problems: readonly string[];
}

/** Asks for a server that stands alone again, by its own socket, as its superuser. */
export function standaloneProbe({
  host,
  port,
  superuser,
  slot,
}: Standalone): Probe<StandaloneServer> {
  const sql = `select json_build_object('recovery', pg_is_in_recovery(),
  'closed', exists (select from pg_db_role_setting, unnest(setconfig) as setting where setting like 'pgherd.connection\\_limit=%'),
  'slot', exists (select from pg_replication_slots where slot_name = ${literal(slot ?? "")}));
`;
  return {
    script: `${findServer(port, superuser, ASK_SECONDS)}
[ ! -e ${ORIGINAL}/source.json ] || echo adopted
if [ -z "$server" ]; then
  echo "servers $several"
elif said=$(ask postgres 2>&1 ${hereDocument(sql).trimEnd()}
); then
  echo "said $said"
else
  ready=$bin/pg_isready code=0
  [ -x "$ready" ] || ready=/usr/bin/pg_isready
  # Without a folder it would be asked somewhere else.
  [ -n "$socket" ] && as "$user" "$ready" -q -t 3 -h "$socket" -p ${port} || code=$?
  [ -n "$socket" ] || code=3
  echo "ready $code $(printf %s "$said" | tail -n 1)"
fi`,
    parse: (output) => stateOf(output, { host, port, superuser, slot }),
  };
}

function stateOf(output: string, plan: Standalone): StandaloneServer {
  const { host, port, superuser, slot } = plan;
  const told = (key: string) =>
    output
      .split("\n")
      .find((line) => line === key || line.startsWith(`${key} `))
      ?.slice(key.length + 1);
  const unfinished =
    told("adopted") === undefined
      ? []
      : [`${host}: the rollback has not come to its end. pulumi up goes on with it.`];
  const is = (condition: Condition, state: string, ...problems: string[]) => ({
    ...{ condition, state, takesWrites: state === RUNNING },
    problems: [...problems.map((problem) => `${host}: ${problem}`), ...unfinished],
  });
  const servers = told("servers");
  if (servers === "0") {
    return is("stopped", "not running", `PostgreSQL does not run on port ${port}. Start it there.`);
  }
  if (servers !== undefined) {
    return is(
      "unknown",
      "not known",
      `expected one server of PostgreSQL on port ${port}, found ${servers}.`,
    );
  }
  const said = told("said");
  if (said === undefined) return rejects(told("ready") ?? "", superuser, is);
  const { recovery, closed, slot: kept } = JSON.parse(said) as { [fact: string]: boolean };
  if (recovery) return is("serving", "in recovery", "it is a standby and takes no writes.");
  if (closed) {
    return is(
      "serving",
      "closed",
      "the cut-over has closed it, since the cluster has taken its place. Take pgherd:cluster.migration.rollback out again.",
    );
  }
  if (kept) return is("serving", RUNNING, `the slot ${slot} keeps WAL on it. pulumi up ends it.`);
  return is("serving", RUNNING);
}

/** What pg_isready makes of a server that gave no answer (PostgreSQL, "pg_isready": exit status). */
function rejects(
  ready: string,
  superuser: string,
  is: (condition: Condition, state: string, problem: string) => StandaloneServer,
): StandaloneServer {
  const [code, ...words] = ready.split(" ");
  const reason = words.join(" ");
  if (code === "1") {
    return is("changing", "starting or stopping", `PostgreSQL lets nobody in yet: ${reason}`);
  }
  if (code === "2") return is("failed", "does not answer", "PostgreSQL runs, but does not answer.");
  return is(
    "unknown",
    "not known",
    `PostgreSQL runs, but could not be asked as ${superuser}: ${reason}`,
  );
}
