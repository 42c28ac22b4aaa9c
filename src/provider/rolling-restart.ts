import { longTransactionsProbe, runningBackupsProbe } from "../facts/activity";
import { describeMembers, isSynchronous, type ClusterView } from "../facts/patroni";
import { settingsProbe } from "../facts/settings";
import { describeCopying } from "../operations/copying";
import { drained } from "../operations/drain";
import { restartPostgres, switchOver } from "../operations/patroni";
import {
  nextStep,
  type RollingMember,
  type RollingStep,
  type RollingView,
} from "../operations/rolling-restart";
import { Standstill } from "../operations/stuck";
import { lowered, ORDERED, otherwisePending, type WantedSettings } from "../operations/settings";
import type { PatroniClusterInputs } from "../resources/inputs/patroni-cluster";
import type { Context } from "./context";
import { askPostgres, isFollowing, leaderOf, statusesOf, viewOf } from "./cluster-view";
import { whyNotWait } from "./standstill";
import { waitFor } from "../operations/wait";
import { pendingRestarts } from "./pending-restart";

/** A restart ends with a checkpoint, which takes as long as the disk needs. */
const RESTART_SECONDS = 900;
const SWITCHOVER_SECONDS = 300;
const NEXT =
  "patronictl -c /etc/patroni/pgherd list on a member; the next `pulumi up` goes on from there.";

/**
 * Restarts PostgreSQL wherever something waits for it: one member at a time, each drained before and streaming again
 * after, and the leader last, by a switchover. Roles are read again at each step. Whatever fails ends it with the
 * cluster serving.
 * @returns whether anything was restarted, and whether a pause holds what else is to be.
 */
export async function rollRestarts(
  context: Context,
  urn: string,
  inputs: PatroniClusterInputs,
  wanted: WantedSettings,
): Promise<{ readonly rolled: boolean; readonly held: boolean }> {
  let rolled = false;
  const restarts = new Map<string, number>();
  for (;;) {
    const step = await possibleStep(context, urn, inputs, wanted, restarts);
    if (step.kind === "done") return { rolled, held: false };
    if (step.kind === "held") {
      context.warn(urn, HELD(step.members));
      return { rolled, held: true };
    }
    rolled = true;
    if (step.kind === "switchover") {
      await untilQuiet(context, urn, inputs, step.from);
      await handOver(context, urn, inputs, step.from, step.to);
    } else if (step.kind === "restart") {
      await untilQuiet(context, urn, inputs, step.member);
      const options = {
        balancers: inputs.balancers,
        seconds: inputs.rolling.drain,
        progress: (message: string) => context.progress(urn, message),
      };
      await drained(context, step.member, options, async () => {
        await restart(context, urn, inputs, step.member);
        await untilStreaming(context, urn, inputs, step.member);
      });
      restarts.set(step.member, (restarts.get(step.member) ?? 0) + 1);
    }
  }
}

const HELD = (members: readonly string[]) =>
  `the cluster is paused: PostgreSQL on ${members.join(", ")} is not restarted, though settings wait for it. ` +
  "`pgherd resume`, then `pulumi up` restarts them.";

/** The next step, once what forbids one has had its time to pass. */
function possibleStep(
  context: Context,
  urn: string,
  inputs: PatroniClusterInputs,
  wanted: WantedSettings,
  restarts: ReadonlyMap<string, number>,
): Promise<RollingStep> {
  return waitFor<RollingStep>(
    async () => {
      const step = nextStep(await see(context, inputs, wanted), restarts);
      return step.kind === "stop" ? { missing: step.reason } : { done: step };
    },
    {
      expected: "a member to be able to restart",
      seconds: inputs.rolling.wait,
      next: NEXT,
      progress: (message) => context.progress(urn, message),
    },
  );
}

async function see(
  context: Context,
  inputs: PatroniClusterInputs,
  wanted: WantedSettings,
): Promise<RollingView> {
  const [view, statuses] = await Promise.all([
    viewOf(context, inputs),
    statusesOf(context, inputs),
  ]);
  const leader = leaderOf(view);
  const running = leader
    ? await askPostgres(context, leader, settingsProbe(inputs.port))
    : undefined;
  if (!view || (leader && !running)) {
    return { ...NOTHING, maximumLag: inputs.rolling.maximumLag, synchronous: false };
  }
  const pending = await pendingRestarts(context, inputs, statuses);
  const others = running ? otherwisePending(wanted, running) : [];
  return {
    members: Object.keys(inputs.members).map((name) => ({
      ...memberOf(name, view, inputs),
      isPending: pending.includes(name),
    })),
    paused: view.paused,
    synchronous: inputs.synchronous !== null,
    leaderStays: leader !== undefined && leader === inputs.leaderStays,
    leaderFirst: running !== undefined && lowered(wanted, running).length > 0,
    replicasFirst: others.some((name) => (ORDERED as readonly string[]).includes(name)),
    tryFirst: others.length > 0,
    maximumLag: inputs.rolling.maximumLag,
  };
}

const NOTHING = {
  members: [],
  paused: false,
  leaderFirst: false,
  leaderStays: false,
  replicasFirst: false,
  tryFirst: false,
};

function memberOf(
  name: string,
  view: ClusterView,
  inputs: PatroniClusterInputs,
): Omit<RollingMember, "isPending"> {
  const found = view.members.find((member) => member.name === name);
  return {
    name,
    isLeader: found?.role === "leader",
    isUp: isFollowing(view, name),
    isSynchronous: found !== undefined && isSynchronous(found),
    lagBytes: found?.role === "leader" ? 0 : found?.lagBytes,
    mayLead: !inputs.neverLead.includes(name),
  };
}

/** Waits for what the restart would cut, transactions and copies of the data: they get their time to end. */
async function untilQuiet(
  context: Context,
  urn: string,
  { port, rolling }: PatroniClusterInputs,
  member: string,
): Promise<void> {
  const { longestTransaction, wait } = rolling;
  await waitFor<true>(
    async () => {
      const [copy] = await context.host(member).observe(runningBackupsProbe(port));
      return copy ? { missing: describeCopying(copy) } : { done: true };
    },
    {
      expected: `nobody to be copying the data of ${member}, which a restart would cut`,
      seconds: wait,
      next: `let the copy or backup end, then run pulumi up again (it goes on from there), or raise pgherd:cluster.rolling.wait.`,
      progress: (message) => context.progress(urn, message),
    },
  );
  await waitFor<true>(
    async () => {
      const open = await context
        .host(member)
        .observe(longTransactionsProbe(port, longestTransaction));
      const [longest] = open;
      if (!longest) return { done: true };
      const { pid, user, database, seconds } = longest;
      return {
        missing: `${open.length} open for longer, the longest for ${seconds} s (process ${pid}, ${user} in ${database})`,
      };
    },
    {
      expected: `no transaction on ${member} to be open for more than ${longestTransaction} s`,
      seconds: wait,
      next: `end it there (select pg_terminate_backend(…)), or raise pgherd:cluster.rolling.longestTransaction; ${NEXT}`,
      progress: (message) => context.progress(urn, message),
    },
  );
}

async function restart(
  context: Context,
  urn: string,
  { members }: PatroniClusterInputs,
  member: string,
): Promise<void> {
  context.info(urn, `restarting PostgreSQL on ${member}`);
  await context
    .host(member)
    .change("restarting PostgreSQL", restartPostgres(members[member] ?? ""), {
      timeoutSeconds: RESTART_SECONDS,
    });
}

async function handOver(
  context: Context,
  urn: string,
  inputs: PatroniClusterInputs,
  from: string,
  to: string,
): Promise<void> {
  context.info(urn, `switching over from ${from} to ${to}`);
  await context
    .host(from)
    .change("switching over", switchOver(inputs.members[from] ?? "", from, to), {
      timeoutSeconds: SWITCHOVER_SECONDS,
    });
  await untilStreaming(context, urn, inputs, from);
}

/** Waits until the member runs again: as the leader, or as a replica that streams and has caught up. */
async function untilStreaming(
  context: Context,
  urn: string,
  inputs: PatroniClusterInputs,
  member: string,
): Promise<void> {
  const standstill = new Standstill();
  await waitFor<true>(
    async () => {
      const view = await viewOf(context, inputs);
      const found = view?.members.find(({ name }) => name === member);
      const why = await whyNotWait(context, standstill, [member], view);
      if (why) return why;
      if (!view || !found || !leaderOf(view)) return { missing: describeMembers(view) };
      const caughtUp =
        found.role === "leader" ||
        (found.state !== "starting" && (found.lagBytes ?? Infinity) <= inputs.rolling.maximumLag);
      return isFollowing(view, member) && caughtUp
        ? { done: true }
        : { missing: describeMembers(view) };
    },
    {
      expected: `${member} to stream again`,
      seconds: RESTART_SECONDS,
      next: `journalctl -u patroni -n 50 on ${member}.`,
      progress: (message) => context.progress(urn, message),
    },
  );
}
