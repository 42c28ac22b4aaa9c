import { MOVE, STAYS_WITH_CLUSTER } from "../dcs/patroni";
import { HealthError } from "../errors";
import { DcsSilentError } from "../operations/dcs";
import { waitFor } from "../operations/wait";
import type { MoveInput } from "../resources/inputs/move";
import type { PatroniClusterInputs } from "../resources/inputs/patroni-cluster";
import { kindOf } from "../roles/dcs";
import { journalctl } from "../roles/journal";
import type { Values } from "../rpc/values";
import { ClusterKeys } from "./cluster-keys";
import { statusesOf } from "./cluster-view";
import type { Context } from "./context";

// A cluster goes from one DCS to another while it is paused: nobody is elected, and PostgreSQL runs whatever becomes of Patroni.
// Here the new DCS learns what the old one knows of the cluster. How members come there is in arrive.ts.

type Cluster = Pick<PatroniClusterInputs, "cluster" | "members">;

/** A round of Patroni's is ten seconds by default, and thirty at most in a profile. */
const PAUSE_SECONDS = 90;

/** The longest lease that a profile gives, and Consul's may live twice as long. */
const LEASE_SECONDS = 90;

/** What another life of the cluster may have left in a DCS, and nobody may find there again. */
const LEFT = ["failover", "failsafe"];

/**
 * Has the new DCS know what the old one knows of the cluster, which is paused before. Nothing is done where the cluster is led in
 * the new one already, or has never been in the old one.
 * @throws HealthError if the cluster is not whole: who is away now would come back to the old DCS.
 */
export async function takeAlong(
  context: Context,
  urn: string,
  move: MoveInput,
  cluster: Cluster,
): Promise<void> {
  const { from, to } = bothOf(context, move, cluster);
  const led = (await to.value("leader")) !== undefined;
  const begun = (await to.value(MOVE)) !== undefined;
  const old = await whatIsKnown(from, led || begun);
  if (!old?.configuration) return;
  const data = await to.value("initialize");
  if (data && old.data && data !== old.data) throw anothersData(move, cluster, data);
  const { pause, ...settings } = JSON.parse(old.configuration.value) as Values;
  if (led) {
    // In the end of a move the old one is left paused.
    if (!old.leader || old.record || pause === true) return;
    await untilNobodyLeads(context, urn, to, move);
  }
  const record = old.record ?? JSON.stringify({ paused: pause === true });
  const paused = JSON.stringify({ ...settings, pause: true });
  if (!old.record) {
    await demandWhole(from, cluster, move);
    context.progress(urn, "pausing the cluster, so that nobody is elected while it moves");
    // Whoever finds the pause later finds with it whose it is.
    await from.change("pausing the cluster", "config", paused, old.configuration.revision, {
      [MOVE]: record,
    });
  }
  await untilPaused(context, urn, cluster);
  if (begun && old.record) return;
  context.progress(
    urn,
    `telling ${kindOf(move.to.kind)} what ${kindOf(move.from.kind)} knows of the cluster`,
  );
  const known = await from.values(STAYS_WITH_CLUSTER);
  const absent = STAYS_WITH_CLUSTER.filter((name) => !Object.hasOwn(known, name));
  for (const name of [...LEFT, ...absent])
    await to.forget("removing what another life has left", name);
  const before = await to.found("config");
  await to.change("telling the new DCS", "config", paused, before?.revision ?? "0", {
    ...known,
    [MOVE]: record,
  });
}

/**
 * The same once more of what changes while the cluster runs, for as long as it is led in the old one: who confirms commits may be
 * another by the time that members go.
 */
export async function tellLatest(
  context: Context,
  move: MoveInput,
  cluster: Cluster,
): Promise<void> {
  const { from, to } = bothOf(context, move, cluster);
  try {
    if (!(await from.value("leader")) || (await to.value("leader"))) return;
    const record = await to.found(MOVE);
    const known = await from.values(STAYS_WITH_CLUSTER);
    if (record)
      await to.change("telling the new DCS again", MOVE, record.value, record.revision, known);
  } catch (error) {
    // An old one that is gone has told all that it knew.
    if (!(error instanceof DcsSilentError)) throw error;
  }
}

function bothOf(context: Context, { from, to }: MoveInput, { cluster, members }: Cluster) {
  const names = Object.keys(members);
  return {
    from: new ClusterKeys(context, from, cluster, names),
    to: new ClusterKeys(context, to, cluster, names),
  };
}

/** @param goesOn whether the new one knows all that is needed, so that the old one may be gone. */
async function whatIsKnown(from: ClusterKeys, goesOn: boolean) {
  try {
    return {
      configuration: await from.found("config"),
      leader: await from.value("leader"),
      record: await from.value(MOVE),
      data: await from.value("initialize"),
    };
  } catch (error) {
    if (goesOn && error instanceof DcsSilentError) return undefined;
    throw error;
  }
}

async function demandWhole(
  from: ClusterKeys,
  { cluster, members }: Cluster,
  move: MoveInput,
): Promise<void> {
  const names = Object.keys(members);
  const wanted = ["leader", ...names.map((name) => `members/${name}`)];
  const known = await from.values([...wanted, "failover"]);
  const missing = wanted
    .filter((name) => !Object.hasOwn(known, name))
    .map((name) => `no ${name.replace("members/", "")}`);
  const planned = Object.hasOwn(known, "failover") ? ["a switchover that is planned"] : [];
  const found = [...missing, ...planned];
  if (found.length === 0) return;
  throw new HealthError(
    `${cluster}: expected a leader, all members and nothing planned in the ${kindOf(move.from.kind)} that cluster.dcs.movedFrom names, ` +
      `found ${found.join(" and ")}. Nothing was changed there.`,
    "Wait for it, or bring the cluster back to health with the old block as cluster.dcs; then move it.",
  );
}

function anothersData({ to }: MoveInput, { cluster }: Cluster, data: string): HealthError {
  return new HealthError(
    `${cluster}: expected ${kindOf(to.kind)} to know no other cluster of this name, found one with the database ${data}. Nothing was changed.`,
    "Choose another cluster.dcs.prefix there; or, if that cluster is gone for good, remove what it has left there.",
  );
}

/** Leases of a DCS that starts with its data of before run out only then. */
async function untilNobodyLeads(
  context: Context,
  urn: string,
  to: ClusterKeys,
  move: MoveInput,
): Promise<void> {
  await waitFor<true>(
    async () =>
      (await to.value("leader")) === undefined
        ? { done: true }
        : { missing: "a leader stands there still" },
    {
      expected: `nobody to lead in ${kindOf(move.to.kind)} before the cluster comes there`,
      seconds: LEASE_SECONDS,
      next: "another cluster of this name is there: choose another cluster.dcs.prefix.",
      progress: (message) => context.progress(urn, message),
    },
  );
}

async function untilPaused(context: Context, urn: string, { cluster, members }: Cluster) {
  await waitFor<true>(
    async () => {
      const statuses = await statusesOf(context, { members });
      // One that does not run reads of the pause when it starts.
      const waiting = Object.keys(members).filter((name) => statuses[name]?.paused === false);
      return waiting.length === 0
        ? { done: true }
        : { missing: `${waiting.join(", ")} not paused yet` };
    },
    {
      expected: `the members of ${cluster} to be paused`,
      seconds: PAUSE_SECONDS,
      next: `${journalctl("patroni")} on the members. The cluster stays paused; pulumi up goes on with it.`,
      progress: (message) => context.progress(urn, message),
    },
  );
}
