import { psql, type Catalog, type Role } from "../facts/postgres";
import { hereDocument } from "../host/shell";
import type { DatabaseInput, RoleInput } from "../resources/inputs";
import { scramVerifier, verifies } from "./scram";

/**
 * The SQL that makes roles and databases as wanted, touching only what differs; empty where all is so.
 * Nothing is ever dropped.
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
    if (!there) lines.push(`CREATE ROLE ${identifier(role.name)} LOGIN;`);
    if (!there || !sameAttributes(role, there)) {
      lines.push(
        `ALTER ROLE ${identifier(role.name)} ${role.createdb ? "" : "NO"}CREATEDB ` +
          `${role.createrole ? "" : "NO"}CREATEROLE CONNECTION LIMIT ${role.connectionLimit}` +
          `${role.replication === undefined ? "" : role.replication ? " REPLICATION" : " NOREPLICATION"};`,
      );
    }
    lines.push(...grants(role, there));
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

/** What a role lacks of its rights. */
function grants(role: RoleInput, there: Role | undefined): string[] {
  const absent = (wanted: readonly string[] = [], found: readonly string[] = []) =>
    wanted.filter((one) => !found.includes(one));
  return [
    ...absent(role.memberOf, there?.memberOf).map(
      (parent) => `GRANT ${identifier(parent)} TO ${identifier(role.name)};`,
    ),
    ...absent(role.executes, there?.executes).map(
      (one) => `GRANT EXECUTE ON FUNCTION pg_catalog.${one} TO ${identifier(role.name)};`,
    ),
  ];
}

/** A role's attributes and rights as they were found, as far as some are wanted. */
export function foundRole(wanted: RoleInput, there: Role): RoleInput {
  const { createdb, createrole, connectionLimit, replication, memberOf, executes } = there;
  const of = (some: readonly string[], found: readonly string[]) =>
    some.filter((one) => found.includes(one));
  return {
    ...{ name: wanted.name, createdb, createrole, connectionLimit },
    ...(wanted.replication !== undefined && { replication }),
    ...(wanted.memberOf && { memberOf: of(wanted.memberOf, memberOf) }),
    ...(wanted.executes && { executes: of(wanted.executes, executes) }),
  };
}

/** Whether a role has the attributes that it must have. */
export function sameAttributes(a: RoleInput, b: RoleInput): boolean {
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

/** The SQL that creates extensions which are not there yet. */
export function extensionChanges(wanted: readonly string[], found: readonly string[]): string {
  return wanted
    .filter((extension) => !found.includes(extension))
    .map((extension) => `CREATE EXTENSION ${identifier(extension)};\n`)
    .join("");
}

function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
