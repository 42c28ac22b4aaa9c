import { HealthError } from "../errors";
import { describeMembers, type ClusterView } from "../facts/patroni";
import { heldProbe } from "../facts/owned";
import { catalogProbe, extensionsProbe, schemasProbe } from "../facts/postgres";
import { verifies } from "../operations/scram";
import { catalogChanges, extensionChanges, runSql } from "../operations/postgres";
import { heldByPause, Standstill } from "../operations/stuck";
import {
  closedOnly,
  closingChanges,
  describeHeld,
  held,
  removalChanges,
  removed,
  toDrop,
} from "../operations/removals";
import { schemaChanges } from "../operations/schemas";
import { wantedSettings } from "../operations/settings";
import { retireUnit } from "../operations/units";
import { rulesCarried } from "./carried-rules";
import { leaderOf } from "../facts/member-state";
import { viewOf, untilLed } from "./cluster-view";
import { configurationLoaded, keepPromises } from "./configuration-loaded";
import type { Context } from "./context";
import { runningOrBack } from "./back-to-proven";
import { copiesOf, describeCopies } from "./copies";
import { beginCopiesAnew } from "./first-copies";
import type { PatroniClusterInputs } from "../resources/inputs/patroni-cluster";
import { isUnfinished, UNFINISHED, type ResourceType } from "./resource";
import { changePasswords, isPasswordsOnly } from "./passwords-only";
import { notReady } from "./readiness";
import { rollRestarts } from "./rolling-restart";
import { foreseeCluster } from "./foresee-cluster";
import { clusterAsFound, findCluster, type FoundCluster } from "./found-cluster";
import { whyNotWait } from "../cluster/standstill";
import { Closed } from "./shut-out";
import { arrive } from "./arrive";
import { beginUnheardAnew } from "./unheard";
import { tellUnservedSlots } from "./unserved-slots";
import { waitFor } from "../operations/wait";
import { patroni, PATRONI_FOLDER } from "../roles/patroni";
import { journalctl } from "../roles/journal";

interface Learned {
  /** Of the data: stays the same for the life of the database. */
  readonly systemIdentifier: string;
}

/** A first start copies the database to each replica. */
const REPLICAS_SECONDS = 900;

const NEXT = `${journalctl("patroni")} on the members; patronictl -c ${PATRONI_FOLDER} list`;

export const patroniCluster: ResourceType<PatroniClusterInputs, Learned> = {
  identity: ["cluster"],
  derived: ["configuration", "filesHash"],
  judged: ["dcs"],
  id: ({ cluster }) => `${cluster}/patroni`,

  async apply(context, urn, inputs, known) {
    if (isPasswordsOnly(inputs, known)) {
      const done = await changePasswords(context, inputs, known);
      if (done) return done;
    }
    let leader = "";
    await arrive(context, urn, inputs);
    await beginUnheardAnew(context, urn, inputs);
    await runningOrBack(context, urn, inputs, known, async (wanted, before) => {
      leader = await untilLed(context, urn, wanted, {
        expected: "a leader",
        seconds: wanted.firstStartSeconds,
        next: NEXT,
      });
      await beginCopiesAnew(context, urn, wanted);
      await keepPromises(context, wanted);
      await changeCatalog(context, wanted, leader);
      await remove(context, wanted, leader, before);
      await untilWhole(context, urn, wanted, leader);
      await configurationLoaded(context, urn, wanted, before);
      const { rolled, held } = await rollRestarts(
        context,
        urn,
        wanted,
        wantedSettings(wanted.configuration),
      );
      if (rolled) await untilWhole(context, urn, wanted, leader);
      return held ? "restarts held" : "settled";
    });
    // Some need a library that a restart brings.
    await fillDatabases(context, urn, inputs);
    await rulesCarried(context, Object.keys(inputs.members), inputs.port, inputs.carried);
    await tellUnservedSlots(context, urn, inputs, leader);
    const found = state(inputs, await findCluster(context, inputs));
    if (found) return found;
    const view = await viewOf(context, inputs);
    throw new HealthError(
      `${inputs.cluster}: expected a leader that takes connections, got: ${describeMembers(view)}.`,
      `Next: patronictl -c ${PATRONI_FOLDER} list on a member.`,
    );
  },

  /** What has left the stack stays in mind until it has been seen to. */
  unfinished: withLeft,

  async read(context, inputs, known) {
    // Without a leader nothing can be asked. That is trouble, not absence: the next update waits for one.
    const trouble = { ...inputs, members: {}, systemIdentifier: known.systemIdentifier };
    const all = withLeft(inputs, known);
    const found = await clusterAsFound(context, all);
    const seen = state(all, found);
    if (!found || !seen) return withLeft(trouble, known);
    // Where an update has failed, the engine goes on to know the inputs of before.
    const failed = isUnfinished(known);
    const left = closedOnly(failed ? known : removed(known, inputs), found.catalog);
    return {
      ...seen,
      roles: [...seen.roles, ...left],
      // Whoever is back in the stack by then looks as if all were well, and cannot log in.
      ...(failed && left.length > 0 && UNFINISHED),
    };
  },

  /** The report has told most of it already: what it could not know is told here. */
  foresee: foreseeCluster,

  /** Stops the members in the order in which nothing fails over: replicas first. Their data stays. */
  async delete(context, urn, inputs) {
    const leader = leaderOf(await viewOf(context, inputs));
    const replicas = Object.keys(inputs.members).filter((name) => name !== leader);
    const stop = async (name: string) => {
      context.progress(urn, `stopping ${name}`);
      await context.host(name).change("stopping Patroni", retireUnit(patroni.unit));
    };
    await Promise.all(replicas.map(stop));
    if (leader) await stop(leader);
  },
};

/** Waits until all members run, the synchronous ones as such. */
async function untilWhole(
  context: Context,
  urn: string,
  inputs: PatroniClusterInputs,
  leader: string,
): Promise<void> {
  const standstill = new Standstill();
  const closed = new Closed();
  await waitFor<ClusterView>(
    async () => {
      const seen = await viewOf(context, inputs);
      if (!seen) return { missing: "no member answers" };
      const missing = notReady(seen, inputs);
      if (!missing) return { done: seen };
      const names = Object.keys(inputs.members);
      const held = heldByPause(names, seen);
      if (held) return { hopeless: held, next: "pgherd resume, then pulumi up again." };
      const why = await whyNotWait(context, standstill, names, seen);
      if (why) return why;
      const shut = await closed.see(context, inputs);
      if (shut) return shut;
      const copies = await copiesOf(context, leader, inputs.port);
      const copying = describeCopies(copies, inputs.members);
      return { missing: copying || missing, ...(copying && { goesOn: copying }) };
    },
    {
      expected: "all members to stream",
      seconds: REPLICAS_SECONDS,
      next: NEXT,
      progress: (message) => context.progress(urn, message),
    },
  );
}

/** With the users and databases that have left the stack, and have not been seen to yet. */
function withLeft<T extends PatroniClusterInputs>(inputs: T, known: PatroniClusterInputs): T {
  const gone = removed(known, inputs);
  return {
    ...inputs,
    roles: [...inputs.roles, ...gone.roles],
    databases: [...inputs.databases, ...gone.databases],
  };
}

/**
 * Sees to users and databases that the stack does not name any more.
 * @throws HealthError if a user cannot be dropped; then nothing is, and the logins are closed.
 */
async function remove(
  context: Context,
  inputs: PatroniClusterInputs,
  leader: string,
  known: PatroniClusterInputs | undefined,
) {
  const gone = removed(known ?? {}, inputs);
  if (gone.roles.length + gone.databases.length === 0) return;
  const host = context.host(leader);
  const catalog = await host.observe(catalogProbe(inputs.port));
  const droppable = toDrop(gone, catalog);
  const reasons =
    droppable.length === 0
      ? []
      : describeHeld(held(gone, await host.observe(heldProbe(inputs.port, droppable))));
  if (reasons.length > 0) {
    const closing = closingChanges(gone, catalog);
    if (closing) await host.change("closing logins", runSql(inputs.port, "postgres", closing));
    throw new HealthError(
      `${inputs.cluster}: ${reasons.join(".\n")}.\nNothing was dropped. The login of who is to be dropped is closed.`,
      "Then run pulumi up again.",
    );
  }
  const sql = removalChanges(gone, catalog);
  if (sql) await host.change("seeing to what left the stack", runSql(inputs.port, "postgres", sql));
}

async function changeCatalog(context: Context, inputs: PatroniClusterInputs, leader: string) {
  const host = context.host(leader);
  const sql = catalogChanges(
    inputs.roles,
    inputs.databases,
    inputs.passwords,
    await host.observe(catalogProbe(inputs.port)),
  );
  if (sql) await host.change("changing roles and databases", runSql(inputs.port, "postgres", sql));
}

/** Extensions and schemas, on whoever leads by now. */
async function fillDatabases(context: Context, urn: string, inputs: PatroniClusterInputs) {
  if (inputs.databases.every(({ extensions, schemas }) => extensions.length === 0 && !schemas))
    return;
  const leader = await untilLed(context, urn, inputs, {
    expected: "a leader",
    seconds: REPLICAS_SECONDS,
    next: NEXT,
  });
  const host = context.host(leader);
  for (const { name, extensions, schemas = [] } of inputs.databases) {
    if (schemas.length > 0) {
      const differ = schemaChanges(schemas, await host.observe(schemasProbe(inputs.port, name)));
      if (differ)
        await host.change(`changing schemas of ${name}`, runSql(inputs.port, name, differ));
    }
    if (extensions.length === 0) continue;
    const missing = extensionChanges(
      extensions,
      await host.observe(extensionsProbe(inputs.port, name)),
    );
    if (missing)
      await host.change(`creating extensions in ${name}`, runSql(inputs.port, name, missing));
  }
}

/** The cluster as it is; nothing while no leader takes connections. */
function state(
  inputs: PatroniClusterInputs,
  found: FoundCluster | undefined,
): (PatroniClusterInputs & Learned) | undefined {
  if (!found) return undefined;
  const { catalog, ...seen } = found;
  return {
    ...inputs,
    ...seen,
    // A password is never read back, only compared: one that somebody changed shows as an empty one.
    passwords: Object.fromEntries(
      Object.entries(inputs.passwords).map(([name, password]) => {
        const verifier = catalog.roles.find((role) => role.name === name)?.verifier ?? "";
        return [name, verifies(password, verifier) ? password : ""];
      }),
    ),
  };
}
