import type { Standing, StandingRole } from "../facts/standing-names";
import { identifier } from "../facts/sql";
import type { DatabaseInput, RoleInput } from "../resources/inputs/database";
import { membershipChanges } from "./postgres";

/**
 * What becomes of roles and databases that the stack names and somebody else has made, a sentence each.
 * @param roles, databases that are new to the stack. @param known names of all its roles.
 */
export function describeTakenOver(
  roles: readonly RoleInput[],
  databases: readonly DatabaseInput[],
  standing: Standing,
  known: readonly string[],
): string[] {
  return [
    ...standing.roles.flatMap((there) => {
      const wanted = roles.find(({ name }) => name === there.name);
      return wanted ? [describeRole(wanted, there, known)] : [];
    }),
    ...standing.databases.flatMap(({ name, owner }) => {
      const wanted = databases.find((one) => one.name === name);
      if (!wanted) return [];
      const change =
        owner === wanted.owner ? "" : `, its owner changes from ${owner} to ${wanted.owner}`;
      return [
        `database ${name} is there already: it stays with all its data${change}. By SQL, no service is touched`,
      ];
    }),
  ];
}

function describeRole(wanted: RoleInput, there: StandingRole, known: readonly string[]): string {
  const { gained, lost } = membershipChanges(wanted, there.memberOf, known);
  const attributes = (
    [
      ["CREATEDB", wanted.createdb, there.createdb],
      ["CREATEROLE", wanted.createrole, there.createrole],
      ["REPLICATION", wanted.replication ?? there.replication, there.replication],
    ] as const
  ).filter(([, is, was]) => is !== was);
  const gains = [
    ...attributes.filter(([, is]) => is).map(([name]) => name),
    ...gained.map((name) => `the rights of ${name}`),
  ];
  const loses = [
    ...attributes.filter(([, is]) => !is).map(([name]) => name),
    ...lost.map((name) => `the rights of ${name}`),
  ];
  const changes = [
    "it gets the stack's password, and who uses another one is let in no more",
    ...(there.login ? [] : ["it may log in from then on (it is NOLOGIN)"]),
    ...(gains.length > 0 ? [`it gains ${gains.join(", ")}`] : []),
    ...(loses.length > 0 ? [`it LOSES ${loses.join(", ")}`] : []),
    ...(there.connectionLimit === wanted.connectionLimit
      ? []
      : [`its connection limit is ${limit(wanted)} instead of ${limit(there)}`]),
  ];
  return (
    `user ${there.name} is there already, and becomes the stack's: ${changes.join("; ")}. By SQL, no service is touched` +
    staying(there)
      .map((one) => `. ${one}`)
      .join("")
  );
}

/** What no stack gives or takes, and somebody should know. */
function staying({ name, superuser, bypassRls, validUntil }: StandingRole): string[] {
  const by = (change: string) => `ALTER ROLE ${identifier(name)} ${change}`;
  return [
    ...(superuser
      ? [
          `It is a SUPERUSER and stays one, whoever has that password. If it need not be: ${by("NOSUPERUSER")}`,
        ]
      : []),
    ...(bypassRls && !superuser
      ? [`It stays BYPASSRLS. If it need not be: ${by("NOBYPASSRLS")}`]
      : []),
    ...(validUntil
      ? [
          `Its password ${validUntil.past ? "has let nobody in since" : "lets nobody in after"} ${validUntil.time} (VALID UNTIL), ` +
            `and the stack's will not either. To mend that: ${by("VALID UNTIL 'infinity'")}`,
        ]
      : []),
  ];
}

function limit({ connectionLimit }: Pick<StandingRole, "connectionLimit">): string {
  return connectionLimit === -1 ? "none" : String(connectionLimit);
}
