import { HealthError } from "../errors";
import {
  clusterViewProbe,
  describeMembers,
  systemIdentifierProbe,
  type ClusterView,
} from "../facts/patroni";
import { catalogProbe, extensionsProbe, type Catalog } from "../facts/postgres";
import { verifies } from "../operations/scram";
import { catalogChanges, extensionChanges, runSql } from "../operations/postgres";
import { retireUnit } from "../operations/units";
import type { Context } from "./context";
import type { DatabaseInput, PatroniClusterInputs, RoleInput } from "../resources/inputs";
import type { ResourceType } from "./resource";
import { waitFor } from "./wait";

interface Learned {
  /** Of the data: stays the same for the life of the database. */
  readonly systemIdentifier: string;
}

/** A first start makes the database and copies it to each replica. */
const LEADER_SECONDS = 180;
const REPLICAS_SECONDS = 900;

export const patroniCluster: ResourceType<PatroniClusterInputs, Learned> = {
  identity: ["cluster"],
  id: ({ cluster }) => `${cluster}/patroni`,

  async apply(context, urn, inputs) {
    const progress = (message: string) => context.progress(urn, message);
    const next =
      "journalctl -u patroni -n 50 on the members; patronictl -c /etc/patroni/pgherd list";
    const leader = await waitFor<string>(
      async () => {
        const view = await viewOf(context, inputs);
        const found = leaderOf(view);
        return found ? { done: found } : { missing: describeMembers(view) };
      },
      { expected: "a leader", seconds: LEADER_SECONDS, next, progress },
    );
    await changeCatalog(context, inputs, leader);
    const view = await waitFor<ClusterView>(
      async () => {
        const seen = await viewOf(context, inputs);
        if (!seen) return { missing: "no member answers" };
        const missing = notReady(seen, inputs);
        return missing ? { missing } : { done: seen };
      },
      { expected: "all members to stream", seconds: REPLICAS_SECONDS, next, progress },
    );
    const pending = names(view.members.filter((member) => member.pendingRestart));
    if (pending !== "") {
      context.warn(
        urn,
        `${pending}: a changed setting waits for a restart of PostgreSQL. ` +
          `Replicas first: patronictl -c /etc/patroni/pgherd restart ${inputs.cluster} MEMBER`,
      );
    }
    return look(context, inputs);
  },

  async read(context, inputs, known) {
    const view = await viewOf(context, inputs);
    if (leaderOf(view)) return look(context, inputs);
    // Without a leader nothing can be asked. That is trouble, not absence: the next update waits for one.
    return { ...inputs, members: {}, systemIdentifier: known.systemIdentifier };
  },

  /** Stops the members in the order in which nothing fails over: replicas first. Their data stays. */
  async delete(context, urn, inputs) {
    const leader = leaderOf(await viewOf(context, inputs));
    const replicas = Object.keys(inputs.members).filter((name) => name !== leader);
    const stop = async (name: string) => {
      context.progress(urn, `stopping ${name}`);
      await context
        .host(name)
        .change("stopping Patroni", `set -e\n${retireUnit("patroni.service")}`);
    };
    await Promise.all(replicas.map(stop));
    if (leader) await stop(leader);
  },
};

async function viewOf(
  context: Context,
  { members }: PatroniClusterInputs,
): Promise<ClusterView | undefined> {
  const views = await Promise.all(
    Object.entries(members).map(([name, endpoint]) =>
      context.host(name).observe(clusterViewProbe(endpoint)),
    ),
  );
  // A member that has just started may answer before it has seen the others.
  return views
    .filter((view) => view !== undefined)
    .sort((a, b) => b.members.length - a.members.length)[0];
}

function leaderOf(view: ClusterView | undefined): string | undefined {
  return view?.members.find(({ role, state }) => role === "leader" && state === "running")?.name;
}

function isUp(view: ClusterView | undefined, name: string): boolean {
  const state = view?.members.find((member) => member.name === name)?.state ?? "";
  return ["running", "streaming"].includes(state);
}

/** Patroni's words for replicas that confirm commits. */
const SYNCHRONOUS_ROLES = ["sync_standby", "quorum_standby"];

function names(members: readonly { readonly name: string }[]): string {
  return members.map(({ name }) => name).join(", ");
}

/** What keeps the cluster from being whole, in words; nothing if it is. */
function notReady(view: ClusterView, inputs: PatroniClusterInputs): string | undefined {
  const up = view.members.filter(({ name }) => isUp(view, name));
  const absent = Object.keys(inputs.members).filter((name) => !isUp(view, name));
  const timelines = new Set(up.map((member) => member.timeline));
  if (absent.length > 0 || timelines.size > 1) return describeMembers(view);
  const { synchronous } = inputs;
  if (!synchronous) {
    // A mode that is just being left behind still has them for a round of Patroni.
    const still = up.filter(({ role }) => SYNCHRONOUS_ROLES.includes(role));
    return still.length > 0 ? `${names(still)} still synchronous` : undefined;
  }
  const standbys = up.filter(({ role }) => role === synchronous.role);
  return standbys.length < synchronous.count
    ? `${standbys.length} of ${synchronous.count} replicas synchronous so far`
    : undefined;
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
  for (const { name, extensions } of inputs.databases) {
    if (extensions.length === 0) continue;
    const missing = extensionChanges(
      extensions,
      await host.observe(extensionsProbe(inputs.port, name)),
    );
    if (missing)
      await host.change(`creating extensions in ${name}`, runSql(inputs.port, name, missing));
  }
}

async function look(
  context: Context,
  inputs: PatroniClusterInputs,
): Promise<PatroniClusterInputs & Learned> {
  const view = await viewOf(context, inputs);
  const leader = leaderOf(view);
  if (!leader) {
    throw new HealthError(
      `${inputs.cluster}: expected a leader, got: ${describeMembers(view)}.`,
      "Next: patronictl -c /etc/patroni/pgherd list on a member.",
    );
  }
  const host = context.host(leader);
  const [catalog, systemIdentifier, databases] = await Promise.all([
    host.observe(catalogProbe(inputs.port)),
    host.observe(systemIdentifierProbe(inputs.members[leader] ?? "")),
    findDatabases(context, inputs, leader),
  ]);
  return {
    ...inputs,
    members: Object.fromEntries(
      Object.entries(inputs.members).filter(([name]) => isUp(view, name)),
    ),
    roles: findRoles(inputs.roles, catalog),
    databases,
    // A password is never read back, only compared: one that somebody changed shows as an empty one.
    passwords: Object.fromEntries(
      Object.entries(inputs.passwords).map(([name, password]) => {
        const verifier = catalog.roles.find((role) => role.name === name)?.verifier ?? "";
        return [name, verifies(password, verifier) ? password : ""];
      }),
    ),
    systemIdentifier: systemIdentifier ?? "",
  };
}

function findRoles(wanted: readonly RoleInput[], catalog: Catalog): RoleInput[] {
  return wanted.flatMap(({ name }) => {
    const found = catalog.roles.find((role) => role.name === name);
    if (!found) return [];
    const { createdb, createrole, connectionLimit } = found;
    return [{ name, createdb, createrole, connectionLimit }];
  });
}

async function findDatabases(
  context: Context,
  { databases, port }: PatroniClusterInputs,
  leader: string,
): Promise<DatabaseInput[]> {
  const host = context.host(leader);
  const catalog = await host.observe(catalogProbe(port));
  const found = databases.map(async ({ name, extensions }) => {
    const there = catalog.databases.find((database) => database.name === name);
    if (!there) return [];
    const installed = extensions.length > 0 ? await host.observe(extensionsProbe(port, name)) : [];
    return [
      { name, owner: there.owner, extensions: extensions.filter((one) => installed.includes(one)) },
    ];
  });
  return (await Promise.all(found)).flat();
}
