import { slotOf } from "../../roles/patroni";
import { parameterProblems } from "../parameters";
import type { Settings } from "../schema";
import { DATABASES, GRANTABLE, roleMeans, schemaMeans } from "../reserved";
import { each, type Report } from "./report";

export function databasesFit({ cluster }: Settings, report: Report): void {
  const { databases } = cluster.postgresql;
  each(databases, ({ name }, i) => {
    const path = `cluster.postgresql.databases[${i}].name`;
    const means = DATABASES[name];
    if (means) report(path, reserved(name, means));
    if (databases.slice(0, i).some((one) => one.name === name))
      report(path, `expected each database once, got "${name}" again. Remove one.`);
  });
}

export function ownersExist({ cluster }: Settings, report: Report): void {
  const users = cluster.postgresql.users.map((user) => user.name);
  each(cluster.postgresql.databases, ({ owner }, i) => {
    if (users.includes(owner)) return;
    report(
      `cluster.postgresql.databases[${i}].owner`,
      `expected one of postgresql.users (${users.join(", ") || "there is none"}), got "${owner}". Add the user or mend the name.`,
    );
  });
}

/** Schemas have names of their own, and everybody who has a right in one is a user of the stack. */
export function schemasFit({ cluster }: Settings, report: Report): void {
  const users = cluster.postgresql.users.map((user) => user.name);
  each(cluster.postgresql.databases, ({ schemas }, i) =>
    each(schemas, ({ name, owner, usage, create }, j) => {
      const path = `cluster.postgresql.databases[${i}].schemas[${j}]`;
      const means = schemaMeans(name);
      if (means) report(`${path}.name`, reserved(name, means));
      if (schemas.slice(0, j).some((one) => one.name === name))
        report(`${path}.name`, `expected each schema once, got "${name}" again. Remove one.`);
      const known = (role: string, where: string) => {
        if (users.includes(role)) return;
        report(
          `${path}.${where}`,
          `expected one of postgresql.users (${users.join(", ") || "there is none"}), got "${role}". Add the user or mend the name.`,
        );
      };
      if (owner !== undefined) known(owner, "owner");
      each(usage, (role, k) => known(role, `usage[${k}]`));
      each(create, (role, k) => known(role, `create[${k}]`));
    }),
  );
}

export function usersFit({ cluster }: Settings, report: Report): void {
  const { users } = cluster.postgresql;
  each(users, ({ name }, i) => {
    const path = `cluster.postgresql.users[${i}].name`;
    const means = roleMeans(name);
    if (means) report(path, reserved(name, means));
    else if (cluster.migration?.superuser === name)
      report(path, reserved(name, "the superuser of the server that is migrated"));
    if (users.slice(0, i).some((one) => one.name === name))
      report(path, `expected each user once, got "${name}" again. Remove one.`);
  });
}

/** A user is granted what is there, and nothing that makes a superuser of it. */
export function grantsFit({ cluster }: Settings, report: Report): void {
  const { users, version } = cluster.postgresql;
  const names = users.map(({ name }) => name);
  const own = [...GRANTABLE].filter(([, since]) => since <= version).map(([name]) => name);
  each(users, ({ name, grants = [] }, i) =>
    each(grants, (granted, j) => {
      const path = `cluster.postgresql.users[${i}].grants[${j}]`;
      const known = [...names.filter((other) => other !== name), ...own];
      if (!known.includes(granted)) {
        const reason = SERVERS_OWN.includes(granted)
          ? `Whoever has it reads, writes or runs what the server's own user may: a superuser in all but name. Leave it out.`
          : `The others of \`users\` and these may be granted: ${own.join(", ")}. Mend the name.`;
        report(path, `expected a role that may be granted, got "${granted}". ${reason}`);
      } else if (leadsTo(granted, name, users)) {
        report(
          path,
          `expected no circle of grants, got "${granted}", which has the rights of ${name} itself. Remove one of them.`,
        );
      }
    }),
  );
}

/** Roles by which the files and programs of the server's host are reached. */
const SERVERS_OWN = ["pg_read_server_files", "pg_write_server_files", "pg_execute_server_program"];

/** Whether a user has another one's rights, by whatever is granted to it. */
function leadsTo(
  from: string,
  to: string,
  users: Settings["cluster"]["postgresql"]["users"],
  seen: readonly string[] = [],
): boolean {
  if (from === to) return true;
  if (seen.includes(from)) return false;
  const { grants = [] } = users.find(({ name }) => name === from) ?? {};
  return grants.some((one) => leadsTo(one, to, users, [...seen, from]));
}

function reserved(name: string, means: string): string {
  return `expected a name that is not reserved, got "${name}", ${means}. Choose another name.`;
}

export function slotsFit({ cluster }: Settings, report: Report): void {
  const { slots, databases } = cluster.postgresql;
  each(Object.keys(slots), (name) => {
    const slot = slots[name] as (typeof slots)[string];
    const path = `cluster.postgresql.slots.${name}`;
    if (cluster.members.some(({ host }) => slotOf(host) === name)) {
      report(
        path,
        `expected a name that no member's own slot has, got "${name}". Choose another name.`,
      );
    }
    if (cluster.backup && name === "barman") {
      report(path, 'expected another name, got "barman", which the backups use. Choose another.');
    }
    if (slot.type === "logical" && !databases.some((database) => database.name === slot.database)) {
      const known = databases.map((database) => database.name).join(", ");
      report(
        `${path}.database`,
        `expected one of postgresql.databases (${known || "there is none"}), got "${slot.database}". Add the database or mend the name.`,
      );
    }
  });
}

export function parametersFit({ cluster }: Settings, report: Report): void {
  for (const [name, problem] of parameterProblems(cluster)) {
    report(`cluster.postgresql.parameters.${name}`, problem);
  }
}
