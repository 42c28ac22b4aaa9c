import type { Held } from "../facts/owned";
import type { Catalog } from "../facts/postgres";
import { quote } from "../host/shell";
import type { DatabaseInput, RoleInput } from "../resources/inputs/database";
import { identifier } from "../facts/sql";

/** What the stack names. */
interface Named {
  readonly roles: readonly RoleInput[];
  readonly databases: readonly DatabaseInput[];
}

/**
 * Users and databases that the stack has named and names no more. Roles of pgherd's own, which are told by having their
 * right to stream set, are none: they go and come with what needs them.
 */
export function removed(known: Partial<Named>, wanted: Named): Named {
  const gone = <T extends { readonly name: string }>(
    before: readonly T[] = [],
    now: readonly T[],
  ) => before.filter(({ name }) => !now.some((one) => one.name === name));
  return {
    roles: gone(known.roles, wanted.roles).filter(({ replication }) => replication === undefined),
    databases: gone(known.databases, wanted.databases),
  };
}

/** Users who are to be dropped, and are there. */
export function toDrop({ roles }: Named, { roles: open, closed = [] }: Catalog): string[] {
  return roles
    .filter(({ onRemoval }) => onRemoval === "drop")
    .map(({ name }) => name)
    .filter((name) => closed.includes(name) || open.some((one) => one.name === name));
}

/** Users who are to be dropped, and whose login is closed so far. */
export function closedOnly({ roles }: Named, { closed = [] }: Catalog): RoleInput[] {
  return roles.filter(({ name, onRemoval }) => onRemoval === "drop" && closed.includes(name));
}

/** What keeps users from being dropped, once the databases are that are to be. */
export function held({ databases }: Named, all: readonly Held[]): Held[] {
  const dropped = databases.filter(({ onRemoval }) => onRemoval === "drop");
  return all.filter(({ database }) => !dropped.some(({ name }) => name === database));
}

/** Why users cannot be dropped and what to do, a sentence each. */
export function describeHeld(all: readonly Held[]): string[] {
  return [...new Set(all.map(({ role }) => role))].map((role) => {
    const own = all.filter((one) => one.role === role);
    const databases = [...new Set(own.map(({ database }) => database))];
    const what = databases.map((database) => {
      const some = own.filter((one) => one.database === database);
      const place = database === "" ? "on the whole server" : `in database ${database}`;
      const itself = some.some((one) => one.owned && one.catalog === "pg_database");
      const owned = counts(some.filter((one) => one.owned && one.catalog !== "pg_database"));
      const granted = some.filter((one) => !one.owned).reduce((sum, { count }) => sum + count, 0);
      const parts = [
        ...(itself ? ["it owns the database itself"] : []),
        ...(owned === "" ? [] : [`it owns ${owned}`]),
        ...(granted === 0 ? [] : [`it was granted rights on, or is named by, ${granted} more`]),
      ];
      return `${place} ${parts.join(", ")}`;
    });
    const named = databases.filter((one) => one !== "");
    const name = identifier(role);
    const sql = quote(`REASSIGN OWNED BY ${name} TO "NEW_OWNER"; DROP OWNED BY ${name}`);
    return (
      `user ${role} cannot be dropped: ${what.join("; ")}. ` +
      `Give that away and take back what was granted, in each of these databases (${named.join(", ") || "postgres"}): ` +
      `pgherd psql --superuser -d DATABASE -c ${sql}; or keep the user with its login closed: put it back into the stack with onRemoval: close, run pulumi up, and take it out again`
    );
  });
}

/** Of catalogs that hold what users own most: of one, and of several. */
const KINDS: { readonly [catalog: string]: readonly [one: string, several: string] } = {
  pg_class: ["table, view or sequence", "tables, views or sequences"],
  pg_namespace: ["schema", "schemas"],
  pg_proc: ["function", "functions"],
  pg_type: ["type", "types"],
  pg_default_acl: ["set of default privileges", "sets of default privileges"],
  pg_largeobject: ["large object", "large objects"],
  pg_tablespace: ["tablespace", "tablespaces"],
  pg_extension: ["extension", "extensions"],
};

/** `2 schemas, 14 tables, views or sequences` */
function counts(some: readonly Held[]): string {
  return some
    .map(({ catalog, count }) => {
      const [one, several] = KINDS[catalog] ?? [`entry of ${catalog}`, `entries of ${catalog}`];
      return `${count} ${count === 1 ? one : several}`;
    })
    .join(", ");
}

/** The SQL that lets those who leave the stack in no more; empty where all is so. */
export function closingChanges({ roles }: Named, { roles: open }: Catalog): string {
  return roles
    .filter(({ onRemoval }) => onRemoval !== "keep")
    .filter(({ name }) => open.some((one) => one.name === name))
    .map(({ name }) => `ALTER ROLE ${identifier(name)} NOLOGIN;\n`)
    .join("");
}

/** The SQL that sees to them as was asked for; empty where all is so. */
export function removalChanges({ roles, databases }: Named, found: Catalog): string {
  const drops = databases
    .filter(
      ({ onRemoval, name }) =>
        onRemoval === "drop" && found.databases.some((one) => one.name === name),
    )
    .map(({ name }) => `DROP DATABASE ${identifier(name)};\n`);
  // Closed first: a role that cannot be dropped all the same lets nobody in.
  return [
    ...drops,
    closingChanges({ roles, databases }, found),
    ...toDrop({ roles, databases }, found).map((name) => `DROP ROLE ${identifier(name)};\n`),
  ].join("");
}

const USERS: { readonly [what in "close" | "keep" | "drop"]: string } = {
  close:
    "its login is closed (NOLOGIN), its sessions go on until they end. What it owns and was granted stays. " +
    "Its password is forgotten: should it come back to the stack, it gets a new one",
  keep: "it stays and can log in as before. pgherd cares for it no more, and forgets its password",
  drop: "it is dropped, and its password is forgotten. Nothing is dropped while it owns or was granted anything: then its login is closed, and up fails and says what it is",
};

/** What will become of them, a sentence each. */
export function describeRemovals({ roles, databases }: Named): string[] {
  return [
    ...roles.map(
      ({ name, onRemoval }) => `user ${name} leaves the stack: ${USERS[onRemoval ?? "close"]}`,
    ),
    ...databases.map(({ name, onRemoval }) =>
      onRemoval === "drop"
        ? `database ${name} leaves the stack: it is DROPPED, WITH ALL ITS DATA. PostgreSQL refuses that while anybody is connected to it`
        : `database ${name} leaves the stack: it stays with all its data. pgherd cares for it no more`,
    ),
  ];
}
