import { standingProbe } from "../facts/standing-names";
import type { Host } from "../host/host";
import { describeTakenOver } from "../operations/taken-over";
import type { DatabaseInput } from "../resources/inputs/database";
import type { UpdateReportInputs } from "../resources/inputs/patroni-cluster";
import { sameValue } from "../rpc/values";

type Catalog = Pick<UpdateReportInputs, "roles" | "databases">;

/** What will become of roles and databases, a sentence for each kind: what is new to the stack may be there all the same. */
export async function foreseeCatalog(
  leader: Pick<Host, "observe">,
  { port, roles, databases }: Catalog & { readonly port: number },
  known: Catalog,
): Promise<string[]> {
  const fresh = {
    roles: roles.filter(({ name }) => !names(known.roles).includes(name)),
    databases: databases.filter(({ name }) => !names(known.databases).includes(name)),
  };
  const standing =
    fresh.roles.length + fresh.databases.length > 0
      ? await leader.observe(
          standingProbe(port, { roles: names(fresh.roles), databases: names(fresh.databases) }),
        )
      : { roles: [], databases: [] };
  return [
    ...bySql("roles", known.roles, roles, standing.roles),
    ...bySql(
      "databases",
      withoutSchemas(known.databases),
      withoutSchemas(databases),
      standing.databases,
    ),
    ...describeTakenOver(fresh.roles, fresh.databases, standing, names(roles)),
  ];
}

function names(all: readonly { readonly name: string }[]): string[] {
  return all.map(({ name }) => name);
}

function withoutSchemas(databases: readonly DatabaseInput[]): DatabaseInput[] {
  return databases.map((database) => ({ ...database, schemas: undefined }));
}

function bySql<T extends { readonly name: string }>(
  what: string,
  known: readonly T[],
  wanted: readonly T[],
  standing: readonly { readonly name: string }[],
): string[] {
  const isNew = ({ name }: T) => !names(known).includes(name);
  const tell = (some: readonly T[], how: string) =>
    some.length > 0
      ? [`${what} ${some.map(({ name }) => name).join(", ")}: ${how} by SQL, no service is touched`]
      : [];
  const others = wanted.filter((one) => !known.some((other) => sameValue(other, one)));
  return [
    ...tell(
      others.filter((one) => isNew(one) && !standing.some(({ name }) => name === one.name)),
      "created",
    ),
    ...tell(
      others.filter((one) => !isNew(one)),
      "changed",
    ),
  ];
}
