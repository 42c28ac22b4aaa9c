import { randomBytes } from "node:crypto";
import { psql, type Catalog, type Extensions, type Role } from "../facts/postgres";
import { identifier, literal } from "../facts/sql";
import { hereDocument } from "../host/shell";
import type { DatabaseInput, RoleInput } from "../resources/inputs/database";
import { scramVerifier, verifies } from "./scram";

/**
 * The SQL that makes roles and databases as wanted, touching only what differs; empty where all is so.
 * Nothing is dropped by it: what has left the stack is seen to by `removalChanges`.
 * @param passwords by role; a role's stored verifier is replaced only if the password does not fit it.
 */
export function catalogChanges(
  roles: readonly RoleInput[],
  databases: readonly DatabaseInput[],
  passwords: { readonly [role: string]: string },
  found: Catalog,
): string {
  const lines: string[] = [];
  for (const role of roles) {
    const there = found.roles.find(({ name }) => name === role.name);
    // One that was taken out of the stack and comes back is there, with its login closed.
    const verb = found.closed?.includes(role.name) ? "ALTER" : "CREATE";
    if (!there) lines.push(`${verb} ROLE ${identifier(role.name)} LOGIN;`);
    if (!there || !sameAttributes(role, there)) {
      lines.push(
        `ALTER ROLE ${identifier(role.name)} ${role.createdb ? "" : "NO"}CREATEDB ` +
          `${role.createrole ? "" : "NO"}CREATEROLE CONNECTION LIMIT ${role.connectionLimit}` +
          `${role.replication === undefined ? "" : role.replication ? " REPLICATION" : " NOREPLICATION"};`,
      );
    }
  }
  for (const { name, settings = {} } of roles) {
    const there = found.roles.find((role) => role.name === name)?.settings ?? {};
    for (const [setting, value] of Object.entries(settings)) {
      if (there[setting] === value) continue;
      lines.push(`ALTER ROLE ${identifier(name)} SET ${identifier(setting)} TO ${literal(value)};`);
    }
  }
  // Who is granted may come later in the list than whom it is granted to.
  for (const role of roles) {
    lines.push(
      ...grants(
        role,
        found.roles.find(({ name }) => name === role.name),
        roles.map(({ name }) => name),
      ),
    );
  }
  for (const [name, password] of Object.entries(passwords)) {
    const there = found.roles.find((role) => role.name === name);
    if (!there || !verifies(password, there.verifier)) {
      lines.push(`ALTER ROLE ${identifier(name)} PASSWORD ${literal(scramVerifier(password))};`);
    }
  }
  for (const { name, owner } of databases) {
    const there = found.databases.find((database) => database.name === name);
    if (!there) lines.push(`CREATE DATABASE ${identifier(name)} OWNER ${identifier(owner)};`);
    else if (there.owner !== owner) {
      lines.push(`ALTER DATABASE ${identifier(name)} OWNER TO ${identifier(owner)};`);
    }
  }
  return lines.map((line) => `${line}\n`).join("");
}

/** What a role lacks of its rights, and has too much of them. @param known roles of the stack */
function grants(role: RoleInput, there: Role | undefined, known: readonly string[]): string[] {
  const { gained, lost } = membershipChanges(role, there?.memberOf ?? [], known);
  return [
    ...lost.map((parent) => `REVOKE ${identifier(parent)} FROM ${identifier(role.name)};`),
    ...gained.map((parent) => `GRANT ${identifier(parent)} TO ${identifier(role.name)};`),
    ...absent(role.executes, there?.executes).map(
      (one) => `GRANT EXECUTE ON FUNCTION pg_catalog.${one} TO ${identifier(role.name)};`,
    ),
  ];
}

/** Roles that it becomes a member of, and those that it is one of no more. @param known roles of the stack */
export function membershipChanges(
  role: RoleInput,
  memberOf: readonly string[],
  known: readonly string[],
): { readonly gained: readonly string[]; readonly lost: readonly string[] } {
  return {
    gained: absent(role.memberOf, memberOf),
    lost: absent(given(role, memberOf, known), role.memberOf),
  };
}

/** What is wanted and not found. */
function absent(wanted: readonly string[] = [], found: readonly string[] = []): string[] {
  return wanted.filter((one) => !found.includes(one));
}

/** A role's attributes and rights as they were found, as far as some are wanted. */
export function foundRole(
  wanted: RoleInput,
  there: Role,
  known: readonly string[] = [],
): RoleInput {
  const { createdb, createrole, connectionLimit, replication, memberOf, executes } = there;
  const of = (some: readonly string[], found: readonly string[]) =>
    some.filter((one) => found.includes(one));
  return {
    ...{ name: wanted.name, createdb, createrole, connectionLimit },
    ...(wanted.replication !== undefined && { replication }),
    ...(wanted.memberOf && {
      memberOf: [...of(wanted.memberOf, memberOf), ...given(wanted, memberOf, known)]
        .filter((one, i, all) => all.indexOf(one) === i)
        .sort(),
    }),
    ...(wanted.noOthers && { noOthers: true }),
    ...(wanted.executes && { executes: of(wanted.executes, executes) }),
    ...(wanted.settings && { settings: among(wanted.settings, there.settings) }),
    ...(wanted.onRemoval && { onRemoval: wanted.onRemoval }),
  };
}

/** Of settings those that some are wanted of. */
function among(
  wanted: { readonly [name: string]: string },
  found: { readonly [name: string]: string },
): { [name: string]: string } {
  const names = Object.keys(wanted).filter((name) => Object.hasOwn(found, name));
  return Object.fromEntries(names.map((name) => [name, found[name] ?? ""]));
}

/** Of a role's memberships those that the stack decides: in roles of its own and of PostgreSQL's, not in those made by hand. */
function given(
  { noOthers = false }: RoleInput,
  memberOf: readonly string[],
  known: readonly string[],
): string[] {
  return noOthers ? memberOf.filter((one) => one.startsWith("pg_") || known.includes(one)) : [];
}

/** Whether a role has the attributes that it must have. */
function sameAttributes(a: RoleInput, b: RoleInput): boolean {
  return (
    a.createdb === b.createdb &&
    a.createrole === b.createrole &&
    a.connectionLimit === b.connectionLimit &&
    (a.replication === undefined || a.replication === b.replication)
  );
}

/** A script that runs SQL on the local server as the superuser. */
export function runSql(port: number, database: string, sql: string): string {
  return `cd / && ${psql(port, database)} ${hereDocument(sql)}`;
}

/** Where clients look for an extension's objects unless they are told otherwise. */
const SCHEMA = "public";

/** A schema that is there within a transaction only, by a name that nobody can have given to one of his own before. */
function workplace(): string {
  return `pgherd_extension_${randomBytes(8).toString("hex")}`;
}

/**
 * The SQL that creates extensions which are not there yet, in the schema `public` as ever. An extension's script runs as
 * the superuser and looks for names in the schema that it is created in, where the database's owner may have put some of
 * his own (PostgreSQL, "Security Considerations for Extension Scripts"). So it is created in a schema that nobody else can
 * write and then moved. One that cannot be moved is created in its place: it relies on its script being written with care.
 */
export function extensionChanges(
  wanted: readonly string[],
  { created, available }: Extensions,
): string {
  const sql = wanted
    .filter((extension) => !created.includes(extension))
    .map((extension) => {
      const name = identifier(extension);
      const placed = available[extension];
      // What is not on the host fails in PostgreSQL's own words.
      if (!placed || placed.schema !== null) return `CREATE EXTENSION ${name};\n`;
      if (!placed.relocatable) return `CREATE EXTENSION ${name} SCHEMA ${SCHEMA};\n`;
      const schema = workplace();
      return `BEGIN;
CREATE SCHEMA ${schema};
CREATE EXTENSION ${name} SCHEMA ${schema};
ALTER EXTENSION ${name} SET SCHEMA ${SCHEMA};
DROP SCHEMA ${schema};
COMMIT;
`;
    })
    .join("");
  // Its script may rely on triggers, unlike the rest of what we do (src/session-settings.ts).
  return sql && `SET session_replication_role = origin;\n${sql}`;
}
