import { FactError } from "../errors";
import type { Probe } from "../host/host";
import { quote } from "../host/shell";

/** A member as Patroni's REST API tells (`GET /cluster`). */
export interface ClusterMember {
  readonly name: string;
  /** `leader`, `sync_standby`, `quorum_standby`, `replica`, `standby_leader`. */
  readonly role: string;
  /** In Patroni's words, which facts/member-state.ts reads. */
  readonly state: string;
  readonly timeline?: number;
  /** Bytes behind the leader; absent for the leader and where it is not known. */
  readonly lagBytes?: number;
  readonly pendingRestart: boolean;
}

/** All members, as one of them sees the cluster. */
export interface ClusterView {
  readonly members: readonly ClusterMember[];
  readonly paused: boolean;
  /** Members that may never lead, by their tags (patroni/tags.py); absent where there are none. */
  readonly neverLead?: readonly string[];
  readonly scheduledSwitchover?: ScheduledSwitchover;
}

/** A switchover that Patroni itself will do at its time. */
export interface ScheduledSwitchover {
  /** With the time zone: `2026-11-22T02:00:00+00:00`. */
  readonly at: string;
  /** Who is to lead then; Patroni chooses if absent. */
  readonly to?: string;
}

/** Patroni's words for replicas that confirm commits. */
const SYNCHRONOUS_ROLES: readonly string[] = ["sync_standby", "quorum_standby"];

/** Whether commits wait for a member in this role, so that none is lost when it takes over. */
export function isSynchronous({ role }: Pick<ClusterView["members"][number], "role">): boolean {
  return SYNCHRONOUS_ROLES.includes(role);
}

/** A command that prints a page of Patroni's; nothing where it does not answer, which is then not known. */
export function page(endpoint: string, path: string): string {
  // Nothing is what those who read it take for "not known".
  return `curl -s --max-time 5 ${quote(`http://${endpoint}/${path}`)} || :`;
}

/** The view of the Patroni that listens at this endpoint (`10.89.0.11:8008`); `undefined` if it does not answer. */
export function clusterViewProbe(endpoint: string): Probe<ClusterView | undefined> {
  return {
    script: page(endpoint, "cluster"),
    parse(output) {
      if (output.trim() === "") return undefined;
      const answer = parseJson(endpoint, output) as {
        members?: {
          name: string;
          role: string;
          state: string;
          timeline?: number;
          lag?: number | string;
          pending_restart?: boolean;
          tags?: { nofailover?: unknown; failover_priority?: unknown };
        }[];
        pause?: boolean;
        scheduled_switchover?: { at: string; to?: string };
      };
      const { at, to } = answer.scheduled_switchover ?? {};
      const neverLead = (answer.members ?? []).filter(
        ({ tags }) => tags?.nofailover === true || tags?.failover_priority === 0,
      );
      return {
        paused: answer.pause ?? false,
        ...(neverLead.length > 0 && { neverLead: neverLead.map(({ name }) => name) }),
        scheduledSwitchover: at === undefined ? undefined : { at, to },
        members: (answer.members ?? []).map((member) => ({
          name: member.name,
          // Patroni before 4.0 says "master" where the DCS holds it (docs/releases.rst, 4.0.0).
          role: member.role === "master" ? "leader" : member.role,
          state: member.state,
          timeline: member.timeline,
          lagBytes: typeof member.lag === "number" ? member.lag : undefined,
          pendingRestart: member.pending_restart ?? false,
        })),
      };
    },
  };
}

/** What a member's Patroni says of itself, at once; the view of the cluster follows with its next round. */
export interface MemberStatus {
  /** The cluster that it is a member of, in Patroni's words its scope. */
  readonly scope?: string;
  /** Of its PostgreSQL, as Patroni has just asked it: `running`, `starting`… */
  readonly state?: string;
  /** Of a replica that runs, how it follows: `streaming`, `in archive recovery`. */
  readonly replication?: string;
  /** Whether something waits for a restart of PostgreSQL. */
  readonly pendingRestart: boolean;
  /** What waits, by name; nothing before Patroni 3.3, which does not tell (patroni/api.py, get_postgresql_status). */
  readonly pendingSettings?: {
    readonly [name: string]: { readonly running: string; readonly wanted: string };
  };
  /** When its PostgreSQL was started: `2026-11-29 14:49:13.915618+00:00`. */
  readonly startedAt?: string;
  /** Whether it knows that the cluster is paused. */
  readonly paused: boolean;
  /** When it has read the DCS last, and with it the dynamic configuration, in seconds since 1970; 0 where it has not. */
  readonly dcsLastSeen: number;
}

/** The status of the Patroni that listens at this endpoint; `undefined` if it does not answer. */
export function memberStatusProbe(endpoint: string): Probe<MemberStatus | undefined> {
  return {
    script: page(endpoint, "patroni"),
    parse(output) {
      if (output.trim() === "") return undefined;
      const answer = parseJson(endpoint, output) as {
        pending_restart?: boolean;
        pending_restart_reason?: {
          [name: string]: { old_value?: string | null; new_value?: string | null } | null;
        };
        postmaster_start_time?: string;
        pause?: boolean;
        dcs_last_seen?: number;
        state?: string;
        replication_state?: string;
        patroni?: { scope?: string };
      };
      return {
        scope: answer.patroni?.scope,
        state: answer.state,
        replication: answer.replication_state,
        pendingRestart: answer.pending_restart ?? false,
        ...(answer.pending_restart_reason && {
          pendingSettings: Object.fromEntries(
            Object.entries(answer.pending_restart_reason).map(([name, values]) => {
              const shown = (value?: string | null) => value ?? "its default";
              return [
                name,
                { running: shown(values?.old_value), wanted: shown(values?.new_value) },
              ];
            }),
          ),
        }),
        ...(answer.postmaster_start_time && { startedAt: answer.postmaster_start_time }),
        paused: answer.pause ?? false,
        dcsLastSeen: answer.dcs_last_seen ?? 0,
      };
    },
  };
}

/**
 * Waits until this Patroni says that its PostgreSQL takes writes, as HAProxy asks it too; looks ten times a second.
 * The answer is whether it did within that many seconds.
 */
export function takesWritesProbe(endpoint: string, seconds: number): Probe<boolean> {
  const ask = `curl -sf -o /dev/null --max-time 2 ${quote(`http://${endpoint}/primary`)}`;
  return {
    script: `end=$(($(date +%s) + ${seconds}))
until ${ask}; do [ "$(date +%s)" -lt $end ] || exit 0; sleep 0.1; done
echo yes`,
    parse: (output) => output.trim() === "yes",
  };
}

/** The system identifier of the database behind this Patroni; `undefined` while it has none, or does not answer. */
export function systemIdentifierProbe(endpoint: string): Probe<string | undefined> {
  return {
    script: page(endpoint, "patroni"),
    parse: (output) => /"database_system_identifier": ?"(\d+)"/.exec(output)?.[1],
  };
}

/** The members and the leader's name in one line, for messages: `db1 leader running, db2 replica starting`. */
export function describeMembers(view: ClusterView | undefined): string {
  if (!view || view.members.length === 0) return "no member has registered";
  return view.members.map(({ name, role, state }) => `${name} ${role} ${state}`).join(", ");
}

function parseJson(endpoint: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new FactError(
      `http://${endpoint}/cluster: expected JSON, got "${text.slice(0, 100)}".`,
      undefined,
      {
        cause: error,
      },
    );
  }
}
