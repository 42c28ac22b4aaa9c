import { dataPlaceProbe } from "../facts/places";
import { restoreRecordProbe, type FoundRestore } from "../facts/restore-record";
import {
  catalogOfBackupsProbe,
  slotProbe,
  type BackupCatalog,
  type SlotState,
} from "../facts/barman";
import { dcsOf, type DcsKind, type DcsMember, type DcsVoters } from "../dcs/dcs";
import { firewallProbe, type FirewallState } from "../facts/firewall";
import {
  addressesHeldProbe,
  entrancesOf,
  serversProbe,
  type BalancedServer,
  type Entrances,
} from "../facts/haproxy";
import {
  clusterViewProbe,
  memberStatusProbe,
  type ClusterView,
  type MemberStatus,
  type ScheduledSwitchover,
} from "../facts/patroni";
import { loadedIfUpProbe, type LoadedFiles } from "../facts/loaded";
import { streamsProbe, type Streams } from "../facts/replication";
import {
  standaloneProbe,
  type Standalone,
  type StandaloneServer,
} from "../migration/facts/standalone";
import type { Host } from "../host/host";
import { assembleBackups, type BackupStatus, type BackupStatusPlan } from "./backup-status";
import { judge, judgeAlone, type Health } from "./health";
import { membersOf, type MemberState } from "./member-views";

export type { MemberState };

/** A member of the DCS. */
export interface DcsState extends DcsMember {
  readonly host: string;
  /** Whether its host could not be asked: then nothing is known of it. */
  readonly unknown?: true;
}

/** The DCS, which says who leads. */
export interface DcsStatus {
  readonly kind: DcsKind;
  readonly members: readonly DcsState[];
}

/** A load balancer. */
export interface BalancerState {
  readonly host: string;
  /** Whether its HAProxy answers. */
  readonly answers: boolean;
  /** Whether its host could not be asked: then nothing is known of it. */
  readonly unknown?: true;
  readonly holdsVip: boolean;
  /** Members behind each entrance, without those that get no sessions. */
  readonly entrances: Entrances;
  /** Every member behind every entrance. */
  readonly servers: readonly BalancedServer[];
}

/** A server that a migration was rolled back to. */
export interface StandaloneState extends Pick<StandaloneServer, "condition" | "state"> {
  readonly host: string;
  readonly port: number;
}

/** A cluster as it is now. Hosts that do not answer are listed, never left out. */
export interface ClusterStatus {
  readonly cluster: string;
  /** When it was put together: `2026-11-21T22:38:16.123Z`. */
  readonly at: string;
  readonly health: Health;
  readonly healthy: boolean;
  readonly paused: boolean;
  readonly scheduledSwitchover?: ScheduledSwitchover;
  /** No Patroni could be asked: whether the cluster is paused, what is scheduled, and who leads is not known by them. */
  readonly unviewed?: true;
  readonly members: readonly MemberState[];
  readonly dcs: DcsStatus;
  /** Virtual addresses: `["10.89.0.100"]`. */
  readonly vips: readonly string[];
  readonly loadBalancers: readonly BalancerState[];
  /** The server that a migration was rolled back to; there is nothing else of the cluster then. */
  readonly standalone?: StandaloneState;
  /** Nothing where the stack has no backups. */
  readonly backup?: BackupStatus;
  /** Why it is not healthy, one sentence each. */
  readonly problems: readonly string[];
}

/** What the status is asked about. */
export interface StatusPlan {
  readonly name: string;
  readonly patroni: {
    readonly members: { readonly [host: string]: string };
    readonly port: number;
    readonly synchronous: { readonly role: string; readonly count: number } | null;
  };
  readonly dcs: DcsVoters;
  readonly entryPoint?: {
    readonly hosts: readonly string[];
    readonly vips: readonly string[];
    readonly statsPort: number;
  };
  readonly backup?: BackupStatusPlan;
  /** Where a migration is rolled back, this server is all that there is. */
  readonly standalone?: Standalone;
  /** The hosts with rules of pgherd's. */
  readonly firewalls: readonly { readonly host: string }[];
}

/** What one host said, to all questions that its parts in the cluster raise. */
export interface HostAnswer {
  readonly host: string;
  /** Why it said nothing. */
  readonly problem?: string;
  readonly view?: ClusterView;
  readonly member?: MemberStatus;
  /** Of a member: what it streams, and to whom. */
  readonly streams?: Streams;
  readonly dcs?: DcsMember;
  readonly servers?: readonly BalancedServer[];
  readonly vipsHeld?: readonly string[];
  readonly firewall?: FirewallState;
  /** Of the backup host. */
  readonly backups?: BackupCatalog;
  /** Of the leader: the slot that keeps WAL for the backups. */
  readonly slot?: SlotState;
  /** Of a member: what its server has loaded. */
  readonly loaded?: LoadedFiles;
  /** Of a member: the restore that it is in the middle of. */
  readonly restore?: FoundRestore;
  /** Of a member: why its data's file system keeps Patroni from starting; empty if nothing does. */
  readonly place?: string;
  /** Of the server that a migration was rolled back to. */
  readonly standalone?: StandaloneServer;
}

/** The hosts that have something to say, each once. */
export function hostsToAsk(plan: StatusPlan): string[] {
  const { patroni, dcs, entryPoint, backup, standalone } = plan;
  if (standalone) return [standalone.host];
  const balancers = entryPoint?.hosts ?? [];
  const others = [...balancers, ...(backup ? [backup.host] : [])];
  return [...new Set([...Object.keys(patroni.members), ...Object.keys(dcs.members), ...others])];
}

/** Asks one host everything, in one round trip. Never fails: that it does not answer is an answer. */
export async function askHost(plan: StatusPlan, name: string, host: Host): Promise<HostAnswer> {
  const { patroni, dcs: voters, entryPoint, backup } = plan;
  const endpoint = patroni.members[name];
  const url = voters.members[name];
  const balancer = entryPoint?.hosts.includes(name) ? entryPoint : undefined;
  try {
    if (plan.standalone) {
      return { host: name, standalone: await host.observe(standaloneProbe(plan.standalone)) };
    }
    const [view, member, streams, dcs, servers, vipsHeld, firewall, backups, slot, ...others] =
      await Promise.all([
        endpoint === undefined ? undefined : host.observe(clusterViewProbe(endpoint)),
        endpoint === undefined ? undefined : host.observe(memberStatusProbe(endpoint)),
        endpoint === undefined ? undefined : host.observe(streamsProbe(patroni.port)),
        url === undefined ? undefined : host.observe(dcsOf(voters).memberProbe(url)),
        balancer && host.observe(serversProbe(balancer.statsPort)),
        balancer && host.observe(addressesHeldProbe(balancer.vips)),
        plan.firewalls.some((one) => one.host === name) ? host.observe(firewallProbe()) : undefined,
        backup?.host === name
          ? host.observe(catalogOfBackupsProbe(backup.home, backup.results))
          : undefined,
        backup && endpoint !== undefined
          ? host.observe(slotProbe(patroni.port, backup.slot))
          : undefined,
        endpoint === undefined ? undefined : host.observe(restoreRecordProbe),
        endpoint === undefined ? undefined : host.observe(loadedIfUpProbe(patroni.port)),
        endpoint === undefined ? undefined : host.observe(dataPlaceProbe),
      ]);
    const [restore, loaded, place] = others;
    return {
      ...{ host: name, view, member, streams, dcs, servers, vipsHeld, firewall, backups, slot },
      ...{ restore, loaded, place },
    };
  } catch (error) {
    return { host: name, problem: (error as Error).message.split("\n")[0] ?? "" };
  }
}

/** Asks all hosts of a cluster at once. */
export async function observeStatus(
  plan: StatusPlan,
  host: (name: string) => Host,
): Promise<ClusterStatus> {
  const answers = await Promise.all(
    hostsToAsk(plan).map((name) => askHost(plan, name, host(name))),
  );
  return assembleStatus(plan, answers, new Date());
}

/** The cluster as these answers show it. */
export function assembleStatus(
  plan: StatusPlan,
  given: readonly HostAnswer[],
  at: Date,
): ClusterStatus {
  if (plan.standalone) return statusAlone(plan, plan.standalone, given, at);
  const answers = ofThisCluster(plan, given);
  const of = (name: string) => answers.find(({ host }) => host === name);
  // A member that has just started may answer before it has seen the others.
  const view = answers
    .flatMap((answer) => answer.view ?? [])
    .sort((a, b) => b.members.length - a.members.length)[0];
  const seen = {
    cluster: plan.name,
    at: at.toISOString(),
    paused: view?.paused ?? false,
    scheduledSwitchover: view?.scheduledSwitchover,
    ...(view === undefined && { unviewed: true as const }),
    members: membersOf(plan, answers, view),
    dcs: {
      kind: dcsOf(plan.dcs).kind,
      members: Object.keys(plan.dcs.members).map((host) => ({
        host,
        ...(of(host)?.dcs ?? {
          ...{ healthy: false, leader: false, alarms: [] },
          ...(isAsked(of(host)) ? {} : { unknown: true as const }),
        }),
      })),
    },
    vips: plan.entryPoint?.vips ?? [],
    loadBalancers: (plan.entryPoint?.hosts ?? []).map((host) => balancerOf(host, of(host))),
    ...(plan.backup && {
      backup: assembleBackups(
        plan.backup,
        of(plan.backup.host)?.backups,
        answers.find(({ slot }) => slot !== undefined)?.slot,
      ),
    }),
  };
  const { health, problems } = judge(plan, answers, seen);
  return { ...seen, health, healthy: health === "healthy", problems };
}

/** What there is once a migration is rolled back: one server, which is asked no more than whether it serves. */
function statusAlone(
  { name: cluster, dcs }: StatusPlan,
  { host, port }: Standalone,
  [answer]: readonly HostAnswer[],
  at: Date,
): ClusterStatus {
  const seen = answer?.standalone ?? {
    ...{ condition: "unknown" as const, state: "not known", takesWrites: false },
    problems: answer?.problem === undefined ? [] : [answer.problem],
  };
  const { condition, state, problems } = seen;
  const health = judgeAlone(seen);
  return {
    ...{ cluster, at: at.toISOString(), health, healthy: health === "healthy", paused: false },
    ...{ members: [], dcs: { kind: dcsOf(dcs).kind, members: [] }, vips: [], loadBalancers: [] },
    standalone: { host, port, condition, state },
    problems,
  };
}

/**
 * The answers, unless they are another cluster's: a stack may name the hosts of another one. What those say is then nothing
 * of this cluster, the load balancers' included.
 */
function ofThisCluster(
  { name }: Pick<StatusPlan, "name">,
  answers: readonly HostAnswer[],
): readonly HostAnswer[] {
  const strangers = answers.flatMap(({ host, member }) =>
    member?.scope === undefined || member.scope === name ? [] : [{ host, scope: member.scope }],
  );
  const [first] = strangers;
  if (!first) return answers;
  const problem =
    `${first.host}: expected a member of the cluster ${name}, found one of the cluster ${first.scope}. ` +
    "Is it the right stack (--stack)?";
  return answers.map(({ host }) => ({ host, problem }));
}

function isAsked(answer: HostAnswer | undefined): boolean {
  return answer !== undefined && answer.problem === undefined;
}

function balancerOf(host: string, answer: HostAnswer | undefined): BalancerState {
  const servers = answer?.servers ?? [];
  return {
    host,
    answers: servers.length > 0,
    ...(isAsked(answer) ? {} : { unknown: true as const }),
    holdsVip: (answer?.vipsHeld ?? []).length > 0,
    entrances: entrancesOf(servers),
    servers,
  };
}
