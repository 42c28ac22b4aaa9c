import { parameterProblems } from "../parameters";
import type { Settings } from "../schema";
import type { Report } from "./report";

/** Roles of pgherd's own, and words that PostgreSQL takes for no role (src/backend/utils/adt/acl.c, get_rolespec_name). */
const RESERVED = [
  ...["postgres", "replicator", "rewinder", "barman", "streaming_barman"],
  ...["public", "none", "current_role", "current_user", "session_user"],
  // What pg_hba.conf takes for more than a role.
  ...["all", "replication"],
];

export function ownersExist({ cluster }: Settings, report: Report): void {
  const users = cluster.postgresql.users.map((user) => user.name);
  const databases = cluster.postgresql.databases.map((database) => database.name);
  cluster.postgresql.databases.forEach((database, i) => {
    if (databases.indexOf(database.name) !== i) {
      report(
        `cluster.postgresql.databases[${i}].name`,
        `expected each database once, got "${database.name}" again. Remove one.`,
      );
    }
    if (["postgres", "template0", "template1"].includes(database.name)) {
      report(
        `cluster.postgresql.databases[${i}].name`,
        `expected a name that is not reserved, got "${database.name}", which every server has. Choose another name.`,
      );
    }
    if (!users.includes(database.owner)) {
      report(
        `cluster.postgresql.databases[${i}].owner`,
        `expected one of postgresql.users (${users.join(", ") || "there is none"}), got "${database.owner}". Add the user or mend the name.`,
      );
    }
  });
  cluster.postgresql.users.forEach((user, i) => {
    if (RESERVED.includes(user.name) || user.name.startsWith("pg_")) {
      report(
        `cluster.postgresql.users[${i}].name`,
        `expected a name that is not reserved, got "${user.name}". Choose another name.`,
      );
    }
    if (users.indexOf(user.name) !== i) {
      report(
        `cluster.postgresql.users[${i}].name`,
        `expected each user once, got "${user.name}" again. Remove one.`,
      );
    }
  });
}

export function slotsFit({ cluster }: Settings, report: Report): void {
  const { slots, databases } = cluster.postgresql;
  for (const [name, slot] of Object.entries(slots)) {
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
  }
}

export function parametersFit({ cluster }: Settings, report: Report): void {
  for (const [name, problem] of parameterProblems(cluster)) {
    report(`cluster.postgresql.parameters.${name}`, problem);
  }
}
