import { dcsAt, type DcsAddress, type Unnamed } from "../dcs/dcs";
import { MOVE, patroniKey, STAYS_WITH_CLUSTER } from "../dcs/patroni";
import { CommandError, ConnectError, HealthError } from "../errors";
import { ifUpProbe } from "../facts/postgres";
import { unitAgeProbe } from "../facts/unit-age";
import { askDcs } from "../operations/dcs";
import { frozen } from "../operations/frozen";
import { beginPatroniAnew } from "../operations/patroni-anew";
import { waitFor } from "../operations/wait";
import type { MoveInput } from "../resources/inputs/move";
import type { PatroniClusterInputs } from "../resources/inputs/patroni-cluster";
import { journalctl } from "../roles/journal";
import { patroni } from "../roles/patroni";
import { kindOf } from "../roles/dcs";
import type { Values } from "../rpc/values";
import { statusesOf } from "./cluster-view";
import type { Context } from "./context";

// A cluster goes from one DCS to another while it is paused: nobody is elected, and PostgreSQL runs whatever becomes of Patroni.
// First the new DCS learns what the old one knows of the cluster; then each Patroni begins anew there, the primary's last, so
// that it finds those there whose confirmations commits wait for; then the pause ends, if it is not the user's own.

type Cluster = Pick<PatroniClusterInputs, "cluster" | "members">;

/** A round of Patroni's is ten seconds by default, and thirty at most in a profile. */
const PAUSE_SECONDS = 90;

/** As long as Patroni takes to begin on a slow host, and to come to its first round. */
const ARRIVAL_SECONDS = 90;

/**
 * Has the new DCS know what the old one knows of the cluster, which is paused before. Nothing is done where the cluster is there
 * already, or has never been in the old one.
 * @throws HealthError if the cluster is not whole: who is away now would come back to the old DCS.
 */
export async function takeAlong(
  context: Context,
  urn: string,
  move: MoveInput,
  { cluster, members }: Cluster,
): Promise<void> {
  const names = Object.keys(members);
  const [from, to] = [move.from, move.to].map((address) =>
    keysOf(context, address, cluster, names),
  );
  if (!from || !to || (await to.value("leader")) !== undefined) return;
  const configuration = await from.found("config");
  if (!configuration) return;
  // Where an earlier run has come as far, some are on their way.
  if ((await to.value(MOVE)) === undefined) await demandWhole(from, cluster, names, move);
  const { pause, ...settings } = JSON.parse(configuration.value) as Values;
  if (pause !== true) {
    context.progress(urn, "pausing the cluster, so that nobody is elected while it moves");
    await from.change(
      "config",
      JSON.stringify({ ...settings, pause: true }),
      configuration.revision,
    );
  }
  await untilPaused(context, urn, { cluster, members });
  const known = await Promise.all(
    STAYS_WITH_CLUSTER.map(async (name) => [name, await from.value(name)] as const),
  );
  const before = await to.value(MOVE);
  const old = await to.found("config");
  context.progress(
    urn,
    `telling ${kindOf(move.to.kind)} what ${kindOf(move.from.kind)} knows of the cluster`,
  );
  await to.change("config", JSON.stringify({ ...settings, pause: true }), old?.revision ?? "0", {
    ...Object.fromEntries(
      known.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
    ),
    [MOVE]: before ?? JSON.stringify({ paused: pause === true }),
  });
}

/** Whether a member's Patroni is in the old DCS and not in the new one, as far as these tell. */
export async function isElsewhere(
  context: Context,
  { from, to }: MoveInput,
  cluster: string,
  host: string,
): Promise<boolean> {
  const [there, here] = await Promise.all(
    [from, to].map(async (address) => {
      try {
        const key = dcsAt(address).keyProbe(patroniKey(cluster, `members/${host}`));
        return (await context.host(host).observe(key)) !== undefined;
      } catch (error) {
        // One that is not there yet, or not any more, knows of nobody.
        if (error instanceof CommandError) return false;
        throw error;
      }
    }),
  );
  return there === true && here === false;
}

/**
 * Has each Patroni begin anew in the new DCS that is still in the old one, while the load balancers go on with what they know of
 * the members, and ends the pause.
 */
export async function arrive(
  context: Context,
  urn: string,
  move: MoveInput,
  inputs: Pick<PatroniClusterInputs, "cluster" | "members" | "port" | "balancers">,
): Promise<void> {
  const { cluster, members, balancers } = inputs;
  const names = Object.keys(members);
  const elsewhere = await whoIsElsewhere(context, move, cluster, names);
  if (elsewhere.length > 0) {
    await frozen(context, balancers, names, async () => {
      const primaries = await whoTakesWrites(context, inputs.port, elsewhere);
      const replicas = elsewhere.filter((name) => !primaries.includes(name));
      await beginThere(context, urn, move, inputs, replicas);
      await beginThere(context, urn, move, inputs, primaries);
      await untilLedThere(context, urn, move.to, inputs);
    });
  }
  await endPause(context, urn, move.to, inputs);
}

/** A stack that no longer names the old DCS: the members whose Patroni is not in the new one yet. */
export async function whoIsLeftBehind(
  context: Context,
  move: MoveInput,
  cluster: string,
  members: readonly string[],
): Promise<string[]> {
  try {
    return await whoIsElsewhere(context, move, cluster, members);
  } catch (error) {
    // Who cannot be asked shows by the other questions.
    if (error instanceof ConnectError) return [];
    throw error;
  }
}

/** Whether somebody leads the cluster in the new DCS. */
export async function isThere(
  context: Context,
  { to, members }: MoveInput & { readonly members: readonly string[] },
  cluster: string,
): Promise<boolean> {
  try {
    return (await keysOf(context, to, cluster, members).value("leader")) !== undefined;
  } catch {
    // One that is not there yet.
    return false;
  }
}

async function whoIsElsewhere(
  context: Context,
  move: MoveInput,
  cluster: string,
  members: readonly string[],
): Promise<string[]> {
  const looks = await Promise.all(
    members.map(async (name) => {
      const age = await context.host(name).observe(unitAgeProbe(patroni.unit));
      return age !== undefined && (await isElsewhere(context, move, cluster, name)) ? [name] : [];
    }),
  );
  return looks.flat();
}

async function demandWhole(
  from: Keys,
  cluster: string,
  names: readonly string[],
  move: MoveInput,
): Promise<void> {
  const [leader, ...known] = await Promise.all(
    ["leader", ...names.map((name) => `members/${name}`)].map((key) => from.value(key)),
  );
  const away = names.filter((_, i) => known[i] === undefined);
  if (leader !== undefined && away.length === 0) return;
  throw new HealthError(
    `${cluster}: expected a leader and all members in the ${kindOf(move.from.kind)} that cluster.dcs.movedFrom names, found ` +
      `${leader === undefined ? "no leader" : `no ${away.join(" and no ")}`}. Nothing was changed there.`,
    "Bring the cluster back to health with the old block as cluster.dcs, then move it.",
  );
}

async function untilPaused(context: Context, urn: string, { cluster, members }: Cluster) {
  await waitFor<true>(
    async () => {
      const statuses = await statusesOf(context, { members });
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

async function beginThere(
  context: Context,
  urn: string,
  move: MoveInput,
  { cluster, members }: Cluster,
  names: readonly string[],
): Promise<void> {
  if (names.length === 0) return;
  const kind = kindOf(move.to.kind);
  context.info(urn, `${names.join(", ")}: Patroni begins anew in ${kind}; PostgreSQL goes on`);
  await Promise.all(
    names.map((name) =>
      context
        .host(name)
        .change(
          "starting Patroni again",
          `systemctl daemon-reload\n${beginPatroniAnew(patroni.unit)}`,
        ),
    ),
  );
  const own = Object.fromEntries(names.map((name) => [name, members[name] ?? ""]));
  await waitFor<true>(
    async () => {
      const statuses = await statusesOf(context, { members: own });
      const there = await Promise.all(
        names.map(async (name) => {
          const key = dcsAt(move.to).keyProbe(patroniKey(cluster, `members/${name}`));
          return (await context.host(name).observe(key)) !== undefined;
        }),
      );
      const missing = names.filter(
        (name, i) => !there[i] || (statuses[name]?.dcsLastSeen ?? 0) === 0,
      );
      return missing.length === 0
        ? { done: true }
        : { missing: `${missing.join(", ")} not there yet` };
    },
    {
      expected: `Patroni to be in ${kind} on ${names.join(", ")}`,
      seconds: ARRIVAL_SECONDS,
      next: `${journalctl("patroni")} there. The cluster stays paused; pulumi up goes on with it.`,
      progress: (message) => context.progress(urn, message),
    },
  );
}

function untilLedThere(
  context: Context,
  urn: string,
  to: Unnamed<DcsAddress>,
  { cluster, members }: Cluster,
): Promise<true> {
  const keys = keysOf(context, to, cluster, Object.keys(members));
  return waitFor<true>(
    async () =>
      (await keys.value("leader")) === undefined
        ? { missing: "nobody leads there yet" }
        : { done: true },
    {
      expected: `${cluster} to be led in ${kindOf(to.kind)}`,
      seconds: ARRIVAL_SECONDS,
      next: `${journalctl("patroni")} on the members. The cluster is paused: pgherd failover makes somebody lead, pulumi up goes on.`,
      progress: (message) => context.progress(urn, message),
    },
  );
}

/** The pause ends once somebody leads in the new DCS; one that was there before the move is the user's. */
async function endPause(
  context: Context,
  urn: string,
  to: Unnamed<DcsAddress>,
  { cluster, members }: Cluster,
): Promise<void> {
  const keys = keysOf(context, to, cluster, Object.keys(members));
  const record = await keys.found(MOVE);
  if (!record) return;
  await untilLedThere(context, urn, to, { cluster, members });
  const configuration = await keys.found("config");
  const { pause, ...settings } = JSON.parse(configuration?.value ?? "{}") as Values;
  if (
    configuration &&
    pause === true &&
    !(JSON.parse(record.value) as { paused: boolean }).paused
  ) {
    context.progress(urn, "ending the pause");
    await keys.change("config", JSON.stringify(settings), configuration.revision);
  }
  await keys.forget(MOVE, record.revision);
}

async function whoTakesWrites(
  context: Context,
  port: number,
  names: readonly string[],
): Promise<string[]> {
  const probe = ifUpProbe(port, "select not pg_is_in_recovery();\n", (out) => out.trim() === "t");
  const found = await Promise.all(
    names.map(async (name) => ((await context.host(name).observe(probe)) ? [name] : [])),
  );
  return found.flat();
}

type Keys = ReturnType<typeof keysOf>;

/** What one DCS keeps of the cluster, asked by whichever member gets an answer. */
function keysOf(
  context: Context,
  address: Unnamed<DcsAddress>,
  cluster: string,
  members: readonly string[],
) {
  const dcs = dcsAt(address);
  const key = (name: string) => patroniKey(cluster, name);
  const found = (name: string) =>
    askDcs(context, members, (host) => host.observe(dcs.keyProbe(key(name))));
  return {
    found,
    value: async (name: string) => (await found(name))?.value,
    async change(
      name: string,
      value: string,
      revision: string,
      others: { readonly [name: string]: string } = {},
    ) {
      const along = Object.fromEntries(
        Object.entries(others).map(([one, text]) => [key(one), text]),
      );
      const script = dcs.changeKey(key(name), value, revision, along);
      await askDcs(context, members, (host) => host.change("moving to another DCS", script));
    },
    async forget(name: string, revision: string) {
      const script = dcs.deleteKey(key(name), revision);
      await askDcs(context, members, (host) => host.change("moving to another DCS", script));
    },
  };
}
