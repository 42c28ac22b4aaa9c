import { expect, test } from "vitest";
import { parseSettings } from "../../src/config/parse";
import { ConfigError } from "../../src/errors";

/** What is wrong with backups like these. */
function problemsOf(backup: object, postgresql: object = {}): readonly string[] {
  try {
    parseSettings({
      hosts: { a1: { address: "10.0.0.1" }, b1: { address: "10.0.0.2" } },
      cluster: {
        name: "shop",
        members: ["a1"],
        dcs: { kind: "etcd", members: ["a1"] },
        firewall: { clients: ["10.0.0.0/8"] },
        postgresql,
        backup: { host: "b1", ...backup },
      },
    });
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as ConfigError).problems;
  }
  return [];
}

const bootstrap = (settings: object) => ({
  bootstrap: { from: "barman", host: "b1", cluster: "other", ...settings },
});

test.each([
  [
    "a host that is not there",
    { host: "b9" },
    {},
    'pgherd:cluster.backup.host: expected one of pgherd:hosts (a1, b1), got "b9". Add the host or mend the name.',
  ],
  [
    "a database host",
    { host: "a1" },
    {},
    'pgherd:cluster.backup.host: expected a host that is no member, got "a1": what destroys it would take the database and its backups. Choose another host, or accept it with backup.onDatabaseHost: true.',
  ],
  [
    "a retention shorter than the schedule",
    { schedule: "0 2 1 * *", retention: "RECOVERY WINDOW OF 2 WEEKS" },
    {},
    'pgherd:cluster.backup.retention: expected 31 DAYS or more, since up to 31 days lie between two backups of "0 2 1 * *", got "RECOVERY WINDOW OF 2 WEEKS". Keep them longer, or take them more often.',
  ],
  [
    "a schedule that is none",
    { schedule: "@daily" },
    {},
    'pgherd:cluster.backup.schedule: expected a time as cron writes it, such as "0 2 * * *" (minute, hour, day, month, weekday; a day or a weekday), got "@daily".',
  ],
  [
    "a retention in other words",
    { retention: "7 days" },
    {},
    'pgherd:cluster.backup.retention: expected "RECOVERY WINDOW OF 7 DAYS" (or WEEKS, MONTHS), got "7 days".',
  ],
  [
    "a question to a database that is not there",
    { verify: { checks: [{ database: "app", sql: "select true" }] } },
    {},
    'pgherd:cluster.backup.verify.checks[0].database: expected one of postgresql.databases (there is none), got "app". Mend the name.',
  ],
  [
    "a slot of the same name",
    {},
    { slots: { barman: { type: "physical" } } },
    'pgherd:cluster.postgresql.slots.barman: expected another name, got "barman", which the backups use. Choose another.',
  ],
  [
    "a user of the same name",
    {},
    { users: [{ name: "streaming_barman" }] },
    'pgherd:cluster.postgresql.users[0].name: expected a name that is not reserved, got "streaming_barman", whom the backups\' WAL is received as. Choose another name.',
  ],
  [
    "a beginning with a backup of itself",
    {},
    bootstrap({ cluster: "shop" }),
    'pgherd:cluster.postgresql.bootstrap.cluster: expected another cluster, got "shop" itself. `pgherd restore` brings a cluster back in place.',
  ],
  [
    "a target that does not tell which backup it is after",
    {},
    bootstrap({ target: { xid: 745 } }),
    "pgherd:cluster.postgresql.bootstrap.backup: expected the backup to begin with, since a xid alone does not tell when it was, got nothing. `pgherd backup list` of that cluster shows them.",
  ],
  [
    "a time without its zone",
    {},
    bootstrap({ target: { time: "2026-11-21 14:30:00" } }),
    'pgherd:cluster.postgresql.bootstrap.target.time: expected a time with its zone, such as "2026-11-21 14:30:00+01", got "2026-11-21 14:30:00".',
  ],
])("%s is refused", (_what, backup, postgresql, problem) => {
  expect(problemsOf(backup, postgresql)).toEqual([problem]);
});

test("a database host may keep backups where the user says so", () => {
  expect(problemsOf({ host: "a1", onDatabaseHost: true })).toEqual([]);
});

test("a new cluster may begin with a backup by time, or by name from a backup that is named", () => {
  expect(problemsOf({}, bootstrap({ target: { time: "2026-11-21 14:30+01" } }))).toEqual([]);
  const named = { target: { name: "before_the_migration" }, backup: "20261121T020001" };
  expect(problemsOf({}, bootstrap(named))).toEqual([]);
});
