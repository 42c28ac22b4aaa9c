import { systemIdentifierProbe } from "../facts/patroni";
import { catalogProbe, extensionsProbe, schemasProbe, type Catalog } from "../facts/postgres";
import { foundRole } from "../operations/postgres";
import { foundSchemas } from "../operations/schemas";
import type { DatabaseInput, RoleInput } from "../resources/inputs/database";
import type { UpdateReportInputs } from "../resources/inputs/patroni-cluster";
import { canonicalText } from "../rpc/values";
import { leaderOf } from "../facts/member-state";
import { askPostgres, isUp, statusesOf, viewOf } from "./cluster-view";
import { foundConfiguration, unloaded } from "./configuration-loaded";
import type { Context } from "./context";
import { pendingRestarts } from "./pending-restart";

/** What of the inputs tells where to look, and what for. */
type Asked = Pick<UpdateReportInputs, "members" | "port" | "configuration" | "roles" | "databases">;

/** A cluster as it is. */
export interface FoundCluster extends Pick<
  UpdateReportInputs,
  "configuration" | "pendingRestart" | "roles" | "databases"
> {
  /** Those whose PostgreSQL runs. */
  readonly members: { readonly [host: string]: string };
  readonly unloaded: readonly string[];
  readonly systemIdentifier: string;
  readonly catalog: Catalog;
}

/** The cluster as it was before the first change of this run, asked once for all who want to know. */
export function clusterAsFound(
  context: Context,
  { members, port, configuration, roles, databases }: Asked,
): Promise<FoundCluster | undefined> {
  const asked = { members, port, configuration, roles, databases };
  return context.once(`cluster as found: ${canonicalText(asked)}`, () =>
    findCluster(context, asked),
  );
}

/** The cluster as it is; nothing while no leader takes connections. */
export async function findCluster(
  context: Context,
  inputs: Asked,
): Promise<FoundCluster | undefined> {
  const view = await viewOf(context, inputs);
  const leader = leaderOf(view);
  if (!leader) return undefined;
  const [content, systemIdentifier, configuration, statuses, wrong] = await Promise.all([
    findContent(context, inputs, leader),
    context.host(leader).observe(systemIdentifierProbe(inputs.members[leader] ?? "")),
    foundConfiguration(context, inputs),
    statusesOf(context, inputs),
    unloaded(context, inputs),
  ]);
  if (!content) return undefined;
  const { catalog, databases } = content;
  return {
    members: Object.fromEntries(
      Object.entries(inputs.members).filter(([name]) => isUp(view, name)),
    ),
    configuration,
    unloaded: wrong,
    pendingRestart: await pendingRestarts(context, inputs, statuses),
    roles: findRoles(inputs.roles, catalog),
    databases,
    systemIdentifier: systemIdentifier ?? "",
    catalog,
  };
}

function findRoles(wanted: readonly RoleInput[], catalog: Catalog): RoleInput[] {
  return wanted.flatMap((role) => {
    const found = catalog.roles.find(({ name }) => name === role.name);
    if (!found) return [];
    const known = wanted.map(({ name }) => name);
    return [foundRole(role, found, known)];
  });
}

/** What is in the database, with the extensions where some are wanted; nothing if the leader takes no connections. */
async function findContent(
  context: Context,
  { databases: wanted, port }: Asked,
  leader: string,
): Promise<{ catalog: Catalog; databases: DatabaseInput[] } | undefined> {
  const catalog = await askPostgres(context, leader, catalogProbe(port));
  if (!catalog) return undefined;
  const asked = wanted.map(
    async ({ name, extensions, schemas, onRemoval }): Promise<DatabaseInput[] | undefined> => {
      const there = catalog.databases.find((database) => database.name === name);
      if (!there) return [];
      const own = { name, owner: there.owner, ...(onRemoval && { onRemoval }) };
      const [extended, divided] = await Promise.all([
        extensions.length === 0
          ? { created: [] as readonly string[] }
          : askPostgres(context, leader, extensionsProbe(port, name)),
        schemas ? askPostgres(context, leader, schemasProbe(port, name)) : [],
      ]);
      if (!extended || !divided) return undefined;
      return [
        {
          ...own,
          extensions: extensions.filter((one) => extended.created.includes(one)),
          ...(schemas && { schemas: foundSchemas(schemas, divided) }),
        },
      ];
    },
  );
  const found = await Promise.all(asked);
  return found.every((one) => one !== undefined) ? { catalog, databases: found.flat() } : undefined;
}
