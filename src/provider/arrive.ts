import type { DcsAddress, Unnamed } from "../dcs/dcs";
import { MOVE } from "../dcs/patroni";
import { CommandError, ConnectError, HealthError } from "../errors";
import { takesWritesProbe } from "../facts/postgres";
import { asUser } from "../host/shell";
import { DcsSilentError } from "../operations/dcs";
import { frozen, thaw } from "../operations/frozen";
import { beginPatroniAnew } from "../operations/patroni-anew";
import { waitFor } from "../operations/wait";
import type { MoveInput } from "../resources/inputs/move";
import type { PatroniClusterInputs } from "../resources/inputs/patroni-cluster";
import { kindOf } from "../roles/dcs";
import { journalctl } from "../roles/journal";
import { patroni, PATRONI_FOLDER } from "../roles/patroni";
import type { Values } from "../rpc/values";
import { ClusterKeys } from "./cluster-keys";
import { statusesOf, whoTakesWrites } from "./cluster-view";
import type { Context } from "./context";
import { isIn, whoIsAway } from "./moving-dcs";
import { tellLatest } from "./take-along";

// A cluster arrives in the DCS that has learned of it (take-along.ts): the primary's Patroni last, so that it finds those there whose
// confirmations commits wait for.

type Inputs = Pick<
  PatroniClusterInputs,
  "cluster" | "members" | "port" | "balancers" | "dcs" | "move"
>;

/** As long as Patroni takes to begin on a slow host, and to come to its first round. */
const ARRIVAL_SECONDS = 90;

/** Patroni's own client tries for ten seconds by default, and starts slowly. */
const CLIENT_SECONDS = 40;

/**
 * Has each Patroni begin anew in this DCS that is not there yet, while the load balancers go on with what they know of the members,
 * and ends the pause. Nothing is done where the cluster is not on its way.
 */
export async function arrive(context: Context, urn: string, inputs: Inputs): Promise<void> {
  const { cluster, members, port, balancers, dcs, move } = inputs;
  const names = Object.keys(members);
  const keys = new ClusterKeys(context, dcs, cluster, names);
  if ((await keys.value(MOVE)) === undefined) return;
  const away = await whoIsAway(context, dcs, cluster, names);
  if (away.length > 0) {
    await Promise.all(away.map((name) => demandClient(context, name, dcs)));
    const leader = move && (await leaderIn(context, move, inputs));
    const writing = await whoTakesWrites(context, port, away);
    const last = away.filter((name) => name === leader || writing.includes(name));
    const first = away.filter((name) => !last.includes(name));
    if (first.length > 0) {
      if (move) await tellLatest(context, move, inputs);
      await frozen(context, balancers, first, "thawed at the end", () =>
        beginThere(context, urn, inputs, first),
      );
    }
    if (last.length > 0) {
      if (move) await tellLatest(context, move, inputs);
      // Where it does not answer in time, its PostgreSQL takes writes all the same.
      await frozen(context, balancers, last, "thawed if all is well", async () => {
        await beginThere(context, urn, inputs, last);
        await untilLed(context, urn, keys, inputs);
      });
    }
  }
  await endPause(context, urn, keys, inputs);
}

/** A Patroni that cannot speak to the new DCS would not come back from where it is. */
async function demandClient(
  context: Context,
  name: string,
  dcs: Unnamed<DcsAddress>,
): Promise<void> {
  const ask = `timeout ${CLIENT_SECONDS} patronictl -c ${PATRONI_FOLDER} list >/dev/null`;
  try {
    await context
      .host(name)
      .run("asking by Patroni's client", `cd / && ${asUser("postgres", ask)}`);
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    throw new HealthError(
      `${name}: expected Patroni's own client to get an answer from ${kindOf(dcs.kind)}: ${error.message}`,
      "Mend that, then run pulumi up again. The cluster goes on, paused: nobody takes over until then.",
    );
  }
}

async function leaderIn(
  context: Context,
  { from }: MoveInput,
  { cluster, members }: Inputs,
): Promise<string | undefined> {
  try {
    return await new ClusterKeys(context, from, cluster, Object.keys(members)).value("leader");
  } catch (error) {
    if (error instanceof DcsSilentError) return undefined;
    throw error;
  }
}

async function beginThere(
  context: Context,
  urn: string,
  { cluster, members, dcs }: Inputs,
  names: readonly string[],
): Promise<void> {
  const kind = kindOf(dcs.kind);
  context.info(urn, `${names.join(", ")}: Patroni begins anew in ${kind}; PostgreSQL goes on`);
  const script = `systemctl daemon-reload\n${beginPatroniAnew(patroni.unit)}`;
  await Promise.all(
    names.map((name) => context.host(name).change("starting Patroni again", script)),
  );
  const own = Object.fromEntries(names.map((name) => [name, members[name] ?? ""]));
  await waitFor<true>(
    async () => {
      const statuses = await statusesOf(context, { members: own });
      const there = await Promise.all(
        // Its host's own agent may be away for a moment.
        names.map((name) => isIn(context, dcs, cluster, name).catch(heldBack)),
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
      next: `${journalctl("patroni")} there. ${GOES_ON}`,
      progress: (message) => context.progress(urn, message),
    },
  );
}

function heldBack(error: unknown): false {
  if (error instanceof HealthError) return false;
  throw error;
}

const GOES_ON = "The cluster stays paused; pulumi up goes on with it.";

/** The pause ends once somebody leads there; one that was there before the move is the user's. */
async function endPause(
  context: Context,
  urn: string,
  keys: ClusterKeys,
  inputs: Inputs,
): Promise<void> {
  const { paused } = JSON.parse((await keys.value(MOVE)) ?? '{"paused":true}') as {
    paused: boolean;
  };
  const resume = async () => {
    const found = await keys.found("config");
    const { pause, ...settings } = JSON.parse(found?.value ?? "{}") as Values;
    if (!found || pause !== true || paused) return;
    context.progress(urn, "ending the pause");
    await keys.change("ending the pause", "config", JSON.stringify(settings), found.revision);
  };
  const led = (await keys.value("leader")) !== undefined;
  // Where no server takes writes any more Patroni has to start them, which it does not while it is paused.
  if (!led && (await nobodyTakesWrites(context, inputs))) await resume();
  await untilLed(context, urn, keys, inputs);
  await resume();
  // A run that was killed may have left them so.
  await thaw(context, inputs.balancers, Object.keys(inputs.members));
  if (inputs.move) await forgetIn(context, inputs.move.from, inputs);
  await keys.forget("ending the move", MOVE);
}

async function forgetIn(
  context: Context,
  from: Unnamed<DcsAddress>,
  { cluster, members }: Inputs,
): Promise<void> {
  try {
    await new ClusterKeys(context, from, cluster, Object.keys(members)).forget(
      "ending the move there",
      MOVE,
    );
  } catch (error) {
    // What a DCS that is gone remembers nobody takes for a move that goes on.
    if (!(error instanceof DcsSilentError)) throw error;
  }
}

async function untilLed(context: Context, urn: string, keys: ClusterKeys, inputs: Inputs) {
  await waitFor<true>(
    async () => {
      if ((await keys.value("leader")) !== undefined) return { done: true };
      const writing = await whoTakesWrites(context, inputs.port, Object.keys(inputs.members));
      const who = writing.length > 0 ? `; ${writing.join(", ")} takes writes` : "";
      return { missing: `nobody leads there yet${who}` };
    },
    {
      expected: `${inputs.cluster} to be led in ${kindOf(inputs.dcs.kind)}`,
      seconds: ARRIVAL_SECONDS,
      next: `${journalctl("patroni")} on the members. ${GOES_ON} Have nobody else lead as long as a server takes writes.`,
      progress: (message) => context.progress(urn, message),
    },
  );
}

/** Whether that is certain: of a server that listens and does not answer nobody knows, nor of a host that cannot be asked. */
async function nobodyTakesWrites(context: Context, { members, port }: Inputs): Promise<boolean> {
  const listens = {
    script: `if command -v ss >/dev/null; then ss -Hltn "sport = :${port}"; else echo unknown; fi`,
    parse: (output: string) => output.trim() !== "",
  };
  const certain = await Promise.all(
    Object.keys(members).map(async (name) => {
      try {
        const host = context.host(name);
        const takes = await host.observe(takesWritesProbe(port));
        return takes === undefined ? !(await host.observe(listens)) : !takes;
      } catch (error) {
        if (error instanceof ConnectError) return false;
        throw error;
      }
    }),
  );
  return certain.every(Boolean);
}
