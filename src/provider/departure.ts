import { untilQuiet } from "../cluster/activity";
import { chooseLeader, nobodyBecause } from "../cluster/candidates";
import { whyNotLeave } from "../cluster/departure";
import { handOver } from "../cluster/hand-over";
import { HealthError, PgherdError } from "../errors";
import { leaderOf } from "../facts/member-state";
import { isSynchronous, type ClusterView } from "../facts/patroni";
import { placesProbe } from "../facts/places";
import { unitProbe, type UnitState } from "../facts/systemd";
import { askEach } from "../operations/ask";
import { confirmNoMore } from "../operations/departure";
import { drainedOut } from "../operations/drain";
import { isUp, retireUnit } from "../operations/units";
import { waitFor } from "../operations/wait";
import type { Values } from "../rpc/values";
import type { DepartureInputs } from "../resources/inputs/departure";
import { journalctl } from "../roles/journal";
import { patroni } from "../roles/patroni";
import { clusterOf } from "./as-cluster";
import { ClusterKeys } from "./cluster-keys";
import { viewOf } from "./cluster-view";
import type { Context } from "./context";
import { dropMemberSlots } from "./departed-slots";
import { heldConfiguration } from "./held-configuration";
import { unreachable } from "./judge-members";
import { demandEnded } from "./orphaned-servers";
import { leftAlone, notOurs } from "./own-hosts";
import type { ResourceType } from "./resource";

interface Learned {
  /** Members that have left; absent where the first departure has failed. */
  readonly left?: readonly string[];
}

/** Patroni hands commits to another replica in its next round, or the one after. */
const CONFIRMED_SECONDS = 120;

/** PostgreSQL ends with a checkpoint, which takes as long as the disk needs. */
const STOP_SECONDS = 900;

/** An orderly stop takes the key along; one that was cut off leaves it until its lease ends. */
const KEY_SECONDS = 120;

const NEXT = `${journalctl("patroni")} on the members; the next \`pulumi up\` goes on from there.`;

/** Former members out of service. Each step looks first, so that a run that was killed goes on where it was. */
export const departure: ResourceType<DepartureInputs, Learned> = {
  identity: ["cluster"],
  judged: ["joining", "members", "port", "neverLead", "synchronous", "rolling", "balancers", "dcs"],
  id: ({ cluster }) => `${cluster}/departure`,

  async apply(context, urn, inputs, known) {
    const before = known?.left ?? [];
    const leaving = Object.keys(inputs.leaving).filter((name) => !before.includes(name));
    if (leaving.length > 0) await leave(context, urn, inputs, leaving);
    return { ...inputs, left: Object.keys(inputs.leaving) };
  },

  /** Who has left before stays so: its host may belong to somebody else by now. Who is back has to leave anew. */
  unfinished(inputs, known): DepartureInputs & Learned {
    const left = known.left ?? [];
    return { ...inputs, left: left.filter((name) => Object.hasOwn(inputs.leaving, name)) };
  },

  async read(_context, _inputs, known) {
    return known;
  },

  /** They have left already. */
  async delete() {},
};

async function leave(
  context: Context,
  urn: string,
  inputs: DepartureInputs,
  leaving: readonly string[],
): Promise<void> {
  const { answers: units, silent } = await askEach<UnitState>(context, leaving, (host) =>
    host.observe(unitProbe(patroni.unit)),
  );
  const lost = Object.entries(silent).filter(([name]) => !context.isRemoved(name));
  if (lost.length > 0)
    throw new PgherdError(lost.map(([name, error]) => unreachable(name, error)).join("\n"));
  const gone = Object.keys(silent);
  const foreign = await notOurs(context, inputs, units);
  for (const [name, found] of Object.entries(foreign))
    context.warn(urn, leftAlone(name, inputs.cluster, found));
  const answers = Object.fromEntries(
    Object.entries(units).filter(([name]) => !Object.hasOwn(foreign, name)),
  );
  const running = Object.keys(answers).filter((name) => isUp(answers[name] as UnitState));
  // Where Patroni was never set up, nothing tells.
  const places = await askEach(context, Object.keys(answers), (host) =>
    host.observe(placesProbe).catch(() => undefined),
  );
  const configuration =
    running.length + gone.length > 0 ? await demandFree(context, inputs, running, gone) : {};
  if (running.length > 0)
    await endRunning(context, urn, inputs, running, Boolean(configuration.synchronous_mode));
  // Enabled ones would start with their hosts.
  for (const name of Object.keys(answers)) await retire(context, urn, name);
  await demandEnded(context, inputs.port, places.answers);
  const keys = new ClusterKeys(context, inputs.dcs, inputs.cluster, Object.keys(inputs.members));
  for (const name of gone) await keys.forget(`taking ${name} out of the DCS`, `members/${name}`);
  await untilForgotten(context, urn, inputs, Object.keys(answers));
  await dropMemberSlots(context, urn, inputs, leaving, stayingOf(inputs));
  for (const name of [...Object.keys(answers), ...gone]) {
    const data = places.answers[name]?.dataDirectory;
    context.info(
      urn,
      gone.includes(name)
        ? `${name} is given up: it is no member any more, and was asked nothing. Its data and its secrets are on its disk still.`
        : `${name} has left the cluster: Patroni there is stopped and disabled. Its data stays${data ? ` in ${data}` : ""} on ${name}.`,
    );
  }
}

/**
 * What the cluster's dynamic configuration is.
 * @throws HealthError if anything speaks against it that they leave
 */
async function demandFree(
  context: Context,
  inputs: DepartureInputs,
  running: readonly string[],
  gone: readonly string[],
): Promise<Values> {
  const held = await heldConfiguration(context, { ...inputs.dcs, ...inputs });
  const reasons = whyNotLeave({
    view: await viewOf(context, withLeaving(inputs, running)),
    ...{ leaving: [...running, ...gone], gone, staying: stayingOf(inputs) },
    rules: { neverLead: inputs.neverLead, maximumLag: inputs.rolling.maximumLag },
    // Slots of members are Patroni's own before 4.0, and leave with the configuration.
    configuration: { ...held?.configuration, slots: {} },
  });
  if (reasons.length > 0) throw new HealthError(reasons.join("\n"));
  return held?.configuration ?? {};
}

/** The cluster with those that leave it. */
function withLeaving(inputs: DepartureInputs, names: readonly string[]): DepartureInputs {
  const endpoints = names.map((name) => [name, inputs.leaving[name] ?? ""]);
  return { ...inputs, members: { ...inputs.members, ...Object.fromEntries(endpoints) } };
}

/** Ends members that run: first nothing hangs on them any more. */
async function endRunning(
  context: Context,
  urn: string,
  inputs: DepartureInputs,
  running: readonly string[],
  synchronous: boolean,
): Promise<void> {
  const all = withLeaving(inputs, running);
  if (synchronous) {
    const action = (name: string) => `having others confirm commits in place of ${name}`;
    await Promise.all(
      running.map((name) => context.host(name).change(action(name), confirmNoMore())),
    );
    await confirmedByOthers(context, urn, all, running);
  }
  await leadByOthers(context, urn, all, running);
  if (synchronous) await confirmedByOthers(context, urn, all, running);
  for (const name of running) {
    await drainedOut(context, name, {
      balancers: inputs.balancers,
      seconds: inputs.rolling.drain,
      progress: (message) => context.progress(urn, message),
    });
    await retire(context, urn, name);
  }
}

/** Ends when none of those that leave confirms commits, and as many others do as could. */
async function confirmedByOthers(
  context: Context,
  urn: string,
  all: DepartureInputs,
  leaving: readonly string[],
): Promise<void> {
  await waitFor<true>(
    async () => {
      const view = await viewOf(context, all);
      if (!view) return { missing: "no member answers" };
      const still = view.members.filter(
        (member) => leaving.includes(member.name) && isSynchronous(member),
      );
      if (still.length > 0)
        return { missing: `${still.map(({ name }) => name).join(", ")} still confirm commits` };
      const able = others(view, leaving).filter(({ role }) => role !== "leader");
      const wanted = Math.min(all.synchronous?.count ?? 1, able.length);
      const sure = able.filter(isSynchronous).length;
      return sure >= wanted
        ? { done: true }
        : { missing: `${sure} of ${wanted} others confirm commits` };
    },
    {
      expected: `others to confirm commits in place of ${leaving.join(", ")}`,
      seconds: CONFIRMED_SECONDS,
      next: NEXT,
      progress: (message) => context.progress(urn, message),
    },
  );
}

/** Members that stay, and are there already. */
function stayingOf({ members, joining }: DepartureInputs): string[] {
  return Object.keys(members).filter((name) => !joining.includes(name));
}

function others(view: ClusterView, leaving: readonly string[]) {
  return view.members.filter(({ name }) => !leaving.includes(name));
}

/** Hands the lead to somebody who stays. */
async function leadByOthers(
  context: Context,
  urn: string,
  all: DepartureInputs,
  leaving: readonly string[],
): Promise<void> {
  for (;;) {
    const view = await viewOf(context, all);
    const from = leaderOf(view);
    if (!view || from === undefined || !leaving.includes(from)) return;
    const rules = {
      neverLead: all.neverLead,
      maximumLag: all.rolling.maximumLag,
      synchronous: view.members.some(isSynchronous),
    };
    const able = view.members.filter(({ name }) => name === from || !leaving.includes(name));
    const choice = chooseLeader(rules, "handover", able);
    const to = choice.able[0]?.name;
    if (to === undefined)
      throw new HealthError(
        `${from}: expected a member that takes the lead before it leaves, found none: ${nobodyBecause(choice)}.`,
        NEXT,
      );
    const cluster = clusterOf(context, urn, all);
    // Who should lead is decided anew after a wait.
    if (await untilQuiet(cluster, from, all.port, { ...all.rolling, next: NEXT }, to)) continue;
    context.info(urn, `switching over from ${from}, which leaves, to ${to}`);
    await handOver(cluster, { from, to, via: from, witness: to });
  }
}

async function retire(context: Context, urn: string, name: string): Promise<void> {
  const host = context.host(name);
  const unit = await host.observe(unitProbe(patroni.unit));
  if (!isUp(unit) && unit.enabled !== "enabled") return;
  context.progress(urn, `stopping ${name}`);
  await host.change(`stopping Patroni on ${name}, which leaves`, retireUnit(patroni.unit), {
    timeoutSeconds: STOP_SECONDS,
  });
}

/** Ends when the members that stay know of none of these any more. */
async function untilForgotten(
  context: Context,
  urn: string,
  inputs: DepartureInputs,
  names: readonly string[],
): Promise<void> {
  await waitFor<true>(
    async () => {
      const view = await viewOf(context, inputs);
      const known = view?.members.filter(({ name }) => names.includes(name)) ?? [];
      return known.length === 0
        ? { done: true }
        : { missing: `${known.map(({ name }) => name).join(", ")} is among them still` };
    },
    {
      expected: `the members to know nothing of ${names.join(", ")} any more`,
      seconds: KEY_SECONDS,
      next: NEXT,
      progress: (message) => context.progress(urn, message),
    },
  );
}
