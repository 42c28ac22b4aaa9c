import { untilQuiet } from "../cluster/activity";
import { alteredProblems } from "../cluster/altered-start";
import { leadRules } from "../cluster/candidates";
import type { Cluster } from "../cluster/cluster";
import { handOver } from "../cluster/hand-over";
import { restartMember } from "../cluster/restart";
import { HealthError } from "../errors";
import { leaderOf, NO_ANSWER } from "../facts/member-state";
import { settingsProbe } from "../facts/settings";
import { nextStep, type RollingStep, type RollingView } from "../cluster/rolling-restart";
import { lowered, ORDERED, otherwisePending, type WantedSettings } from "../operations/settings";
import type { PatroniClusterInputs } from "../resources/inputs/patroni-cluster";
import { clusterOf } from "./as-cluster";
import type { Context } from "./context";
import { askPostgres, statusesOf, viewOf } from "./cluster-view";
import { waitFor } from "../operations/wait";
import { pendingRestarts } from "./pending-restart";
import { PATRONI_FOLDER } from "../roles/patroni";

const NEXT = `patronictl -c ${PATRONI_FOLDER} list on a member; the next \`pulumi up\` goes on from there.`;

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
  const cluster = clusterOf(context, urn, inputs);
  let rolled = false;
  const restarts = new Map<string, number>();
  for (;;) {
    const step = await possibleStep(context, urn, inputs, wanted, restarts);
    if (step.kind === "done") return { rolled, held: false };
    if (step.kind === "held") {
      context.warn(urn, HELD(step.members));
      return { rolled, held: true };
    }
    const patience = { ...inputs.rolling, next: NEXT };
    if (step.kind === "switchover") {
      const { from, to } = step;
      await demandStart(cluster, from);
      // Who should lead is decided anew after a wait.
      if (await untilQuiet(cluster, from, inputs.port, patience, to)) continue;
      rolled = true;
      context.info(urn, `switching over from ${from} to ${to}`);
      await handOver(cluster, { from, to, via: from, witness: to });
    } else if (step.kind === "restart") {
      const { member } = step;
      await demandStart(cluster, member);
      await untilQuiet(cluster, member, inputs.port, patience);
      rolled = true;
      context.info(urn, `restarting PostgreSQL on ${member}`);
      await restartMember(cluster, member, {
        pendingOnly: true,
        drain: inputs.balancers,
        maximumLag: inputs.rolling.maximumLag,
      });
      restarts.set(member, (restarts.get(member) ?? 0) + 1);
    }
  }
}

/** @throws HealthError before a restart that PostgreSQL would not come back from. */
async function demandStart(cluster: Cluster, member: string): Promise<void> {
  const problems = await alteredProblems(cluster, member);
  if (problems.length > 0) throw new HealthError(problems.join("\n"));
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
    return { ...NOTHING, rules: leadRules(inputs) };
  }
  const pending = await pendingRestarts(context, inputs, statuses);
  const others = running ? otherwisePending(wanted, running) : [];
  return {
    members: Object.keys(inputs.members).map((name) => ({
      ...(view.members.find((member) => member.name === name) ?? absent(name)),
      isPending: pending.includes(name),
    })),
    paused: view.paused,
    rules: leadRules(inputs),
    leaderStays: leader !== undefined && leader === inputs.leaderStays,
    leaderFirst: running !== undefined && lowered(wanted, running).length > 0,
    replicasFirst: others.some((name) => (ORDERED as readonly string[]).includes(name)),
    tryFirst: others.length > 0,
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

/** A member that Patroni's view does not have. */
function absent(name: string) {
  return { name, role: "unknown", state: NO_ANSWER };
}
