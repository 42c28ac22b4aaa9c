import { parameterProblems } from "../parameters";
import type { Settings } from "../schema";
import { DATABASES, roleMeans } from "../reserved";
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

function reserved(name: string, means: string): string {
  return `expected a name that is not reserved, got "${name}", ${means}. Choose another name.`;
}

export function slotsFit({ cluster }: Settings, report: Report): void {
  const { slots, databases } = cluster.postgresql;
  each(Object.keys(slots), (name) => {
    const slot = slots[name] as (typeof slots)[string];
    const path = `cluster.postgresql.slots.${name}`;
    // Patroni names the slot of a member after it (patroni/dcs, slot_name_from_member_name).
    if (cluster.members.some(({ host }) => host.replaceAll("-", "_") === name)) {
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
