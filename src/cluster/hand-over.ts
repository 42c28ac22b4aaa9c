import { setTimeout as sleep } from "node:timers/promises";
import { CommandError } from "../errors";
import { leadRefusedProbe } from "../facts/lead-refused";
import { isUp, leaderOf } from "../facts/member-state";
import { takesWritesProbe } from "../facts/patroni";
import { leadWritesTo } from "../operations/haproxy";
import { switchOver } from "../operations/patroni";
import type { ClusterStatus } from "../operations/status";
import { Standstill } from "../operations/stuck";
import { describe, type Cluster } from "./cluster";
import { whyNotWait } from "./standstill";
import { untilSo } from "./until-seen";

// The change of the lead itself, once nothing speaks against it: for a switchover, a rolling restart and a rollback.

/** Who hands over to whom. */
export interface Handover {
  readonly from: string;
  readonly to: string;
  /** The member whose Patroni is asked for it. */
  readonly via: string;
  /** The member that sees first that the new leader takes writes. */
  readonly witness: string;
}

const SWITCHOVER_SECONDS = 300;
/** For one question, whether the new leader takes writes. */
const LOOK_SECONDS = 5;
/** Milliseconds that balancers have to be connected to, and to do what they are asked. */
const BALANCERS_MS = 3000;

/** What of a cluster a change of its lead needs. */
type Led = Pick<Cluster, "host" | "progress"> & {
  readonly plan: {
    readonly patroni: Pick<Cluster["plan"]["patroni"], "members">;
    readonly entryPoint?: { readonly hosts: readonly string[] };
  };
};

/**
 * Has Patroni hand the lead over, and clients follow at once. Ends when the new leader takes writes.
 * @throws CommandError with what Patroni says against it.
 */
export async function changeLead(cluster: Led, handover: Handover): Promise<void> {
  const { from, to, via } = handover;
  cluster.progress(`switching over from ${from} to ${to}`);
  await holdBalancers(cluster);
  const done = new AbortController();
  const leading = leadClients(cluster, handover, done.signal);
  const begun = Date.now();
  try {
    const endpoint = cluster.plan.patroni.members[via] ?? "";
    await cluster.host(via).change("switching over", switchOver(endpoint, from, to), {
      timeoutSeconds: SWITCHOVER_SECONDS,
    });
  } catch (error) {
    throw await withReason(cluster, handover, begun, error);
  } finally {
    done.abort();
    await leading;
  }
}

/** An error with what the leader's Patroni has said since then. @param begun in milliseconds since 1970, by this machine's clock. */
async function withReason(
  cluster: Led,
  { from, to }: Handover,
  begun: number,
  error: unknown,
): Promise<unknown> {
  if (!(error instanceof CommandError) || error.code === null) return error;
  const seconds = (Date.now() - begun) / 1000 + 1;
  const said = await cluster
    .host(from)
    .observe(leadRefusedProbe(to, seconds))
    .catch(() => []);
  if (said.length === 0) return error;
  const { host, action, code, stderr, hint } = error;
  const reason = `${from}'s Patroni: ${said.join("; ")}`;
  return new CommandError(host, action, code, `${stderr.trimEnd()}\n${reason}`, hint);
}

/** The same; ends when the old leader streams from the new one, and every balancer that answers leads writes to that one. */
export async function handOver(cluster: Cluster, handover: Handover): Promise<ClusterStatus> {
  const { from, to } = handover;
  await changeLead(cluster, handover);
  const standstill = new Standstill();
  return untilSo(
    cluster,
    `${to} to lead and ${from} to stream from it`,
    SWITCHOVER_SECONDS,
    (status) => unfollowed(status, handover),
    (status) => whyNotWait(cluster, standstill, [from, to], status),
  );
}

/** What of a handover has not come to its end, in words; nothing if all has. */
export function unfollowed(
  status: Pick<ClusterStatus, "members" | "loadBalancers">,
  { from, to }: Pick<Handover, "from" | "to">,
): string | undefined {
  const old = status.members.find(({ name }) => name === from);
  if (leaderOf(status) !== to || !old || !isUp(old) || old.upstream !== to) return describe(status);
  const late = status.loadBalancers.filter(
    ({ answers, entrances }) => answers && !entrances.primary?.includes(to),
  );
  return late.length === 0
    ? undefined
    : `HAProxy on ${late.map(({ host }) => host).join(", ")} does not lead writes to ${to} yet`;
}

/** Connects to the balancers before the time in which every tenth of a second counts. */
async function holdBalancers(cluster: Led): Promise<void> {
  await onBalancers(cluster, "standing by", ":");
}

/**
 * Tells the balancers of the new leader as soon as it takes writes. They would find it by themselves, after as many
 * checks as their settings ask for.
 */
async function leadClients(
  cluster: Led,
  { from, to, witness }: Handover,
  done: AbortSignal,
): Promise<void> {
  if ((cluster.plan.entryPoint?.hosts ?? []).length === 0) return;
  const probe = takesWritesProbe(cluster.plan.patroni.members[to] ?? "", LOOK_SECONDS);
  while (!done.aborted) {
    const leads = await cluster
      .host(witness)
      .observe(probe)
      .catch(() => sleep(LOOK_SECONDS * 1000, false, { signal: done }).catch(() => false));
    if (leads) return onBalancers(cluster, "leading clients", leadWritesTo(to, from));
  }
}

/** What is done there only saves time: a balancer that is away keeps nobody from switching over, and is not waited for. */
async function onBalancers({ plan, host }: Led, action: string, script: string): Promise<void> {
  const hosts = plan.entryPoint?.hosts ?? [];
  const all = Promise.allSettled(hosts.map((name) => host(name).change(action, script)));
  const ended = new AbortController();
  await Promise.race([all, sleep(BALANCERS_MS, undefined, { signal: ended.signal })]);
  ended.abort();
}
