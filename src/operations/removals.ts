import type { Catalog } from "../facts/postgres";
import type { DatabaseInput, RoleInput } from "../resources/inputs/database";
import { identifier } from "./postgres";

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

/** The SQL that sees to them as was asked for; empty where all is so. */
export function removalChanges({ roles, databases }: Named, found: Catalog): string {
  const logsIn = (role: string) => found.roles.some(({ name }) => name === role);
  const isThere = (role: string) => logsIn(role) || (found.closed ?? []).includes(role);
  const lines = [
    ...databases
      .filter(
        ({ onRemoval, name }) =>
          onRemoval === "drop" && found.databases.some((one) => one.name === name),
      )
      .map(({ name }) => `DROP DATABASE ${identifier(name)};`),
    // Closed first: a role that cannot be dropped, since it owns something, lets nobody in all the same.
    ...roles
      .filter(({ onRemoval, name }) => onRemoval !== "keep" && logsIn(name))
      .map(({ name }) => `ALTER ROLE ${identifier(name)} NOLOGIN;`),
    ...roles
      .filter(({ onRemoval, name }) => onRemoval === "drop" && isThere(name))
      .map(({ name }) => `DROP ROLE ${identifier(name)};`),
  ];
  return lines.map((line) => `${line}\n`).join("");
}

const USERS: { readonly [what in "close" | "keep" | "drop"]: string } = {
  close:
    "its login is closed (NOLOGIN), its sessions go on until they end. What it owns and was granted stays. " +
    "Its password is forgotten: should it come back to the stack, it gets a new one",
  keep: "it stays and can log in as before. pgherd cares for it no more, and forgets its password",
  drop: "it is dropped, and its password is forgotten. PostgreSQL refuses that while it owns or was granted anything",
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
