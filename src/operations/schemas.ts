import type { Schema } from "../facts/postgres";
import type { SchemaInput } from "../resources/inputs/database";
import { identifier } from "../facts/sql";

/** The SQL that makes schemas as wanted, touching only what differs; empty where all is so. Nothing is dropped or revoked. */
export function schemaChanges(wanted: readonly SchemaInput[], found: readonly Schema[]): string {
  const lines = wanted.flatMap(({ name, owner, usage, create }) => {
    const there = found.find((schema) => schema.name === name);
    const schema = identifier(name);
    const grant = (privilege: string, roles: readonly string[], has: readonly string[] = []) =>
      roles
        .filter((role) => role !== owner && !has.includes(role))
        .map((role) => `GRANT ${privilege} ON SCHEMA ${schema} TO ${identifier(role)};`);
    return [
      ...(there ? [] : [`CREATE SCHEMA ${schema} AUTHORIZATION ${identifier(owner)};`]),
      ...(there && there.owner !== owner
        ? [`ALTER SCHEMA ${schema} OWNER TO ${identifier(owner)};`]
        : []),
      ...grant("USAGE", usage, there?.usage),
      ...grant("CREATE", create, there?.create),
    ];
  });
  return lines.map((line) => `${line}\n`).join("");
}

/** What `schemaChanges` does to them, a sentence each. @param known as they were found */
export function describeSchemas(
  database: string,
  known: readonly SchemaInput[],
  wanted: readonly SchemaInput[],
): string[] {
  return wanted.flatMap(({ name, owner, usage, create }) => {
    const there = known.find((schema) => schema.name === name);
    const more = (roles: readonly string[], had: readonly string[] = [], right: string) => {
      const granted = roles.filter((role) => !had.includes(role));
      return granted.length > 0 ? [`${granted.join(", ")} may ${right}`] : [];
    };
    const changes = [
      ...(there ? [] : [`created unless it is there, owned by ${owner}`]),
      ...(there && there.owner !== owner ? [`its owner is ${owner}, not ${there.owner}`] : []),
      ...more(usage, there?.usage, "use it"),
      ...more(create, there?.create, "create something in it"),
    ];
    return changes.length > 0
      ? [
          `schema ${name} of database ${database}: ${changes.join("; ")}. By SQL, no service is touched`,
        ]
      : [];
  });
}

/** Of the wanted schemas those that are there, with their owner and with what was granted of what is wanted. */
export function foundSchemas(
  wanted: readonly SchemaInput[],
  found: readonly Schema[],
): SchemaInput[] {
  return wanted.flatMap(({ name, usage, create }) => {
    const there = found.find((schema) => schema.name === name);
    if (!there) return [];
    const has = (roles: readonly string[], granted: readonly string[]) =>
      roles.filter((role) => role === there.owner || granted.includes(role));
    return [
      {
        ...{ name, owner: there.owner },
        ...{ usage: has(usage, there.usage), create: has(create, there.create) },
      },
    ];
  });
}
