import { expect, test } from "vitest";
import type { CopyTarget } from "../../../src/migration/facts/adoption";
import type { SourceDetails } from "../../../src/migration/facts/source";
import type { Probe } from "../../../src/host/host";
import type { Context } from "../../../src/provider/context";
import { survey } from "../../../src/migration/provider/survey";
import { judgeSource } from "../../../src/migration/provider/survey-rules";
import type { Source } from "../../../src/migration/inputs/source";
import type { SurveyInputs } from "../../../src/migration/inputs/survey";
import { DETAILS, SOURCE } from "../../source";

const INPUTS: SurveyInputs = {
  cluster: "shop",
  host: "a1",
  port: 5432,
  version: 17,
  superuser: "postgres",
  others: { a2: ["postgresql-17"] },
  dataDirectory: "/var/lib/postgresql/17/main",
  strict: false,
  steps: ["prepared"],
  keptOn: ["a1"],
};

const TARGET: CopyTarget = {
  glibc: "2.41",
  locales: ["C.utf8", "de_DE.utf8"],
  files: [],
  directories: [],
  groups: [],
  free: 20 * 2 ** 30,
};

const BACKUP = { roles: ["barman", "streaming_barman"], slot: "barman" };
const SLOT_OF_BARMAN = { name: "barman", type: "physical", database: null, plugin: null } as const;

interface Case {
  readonly source?: Partial<Source>;
  readonly details?: Partial<SourceDetails>;
  readonly target?: Partial<CopyTarget>;
  readonly inputs?: Partial<SurveyInputs>;
}

function judge({ source, details, target, inputs }: Case): string[] {
  const found = { source: { ...SOURCE, ...source }, details: { ...DETAILS, ...details } };
  return judgeSource(found, { a2: { ...TARGET, ...target } }, { ...INPUTS, ...inputs });
}

test("nothing forbids the migration of a server that fits", () => {
  expect(judge({})).toEqual([]);
});

test("another Barman goes on as it is where the stack has no backups", () => {
  const source = { backupRoles: ["barman"], slots: [SLOT_OF_BARMAN] };
  expect(judge({ source })).toEqual([]);
});

test("another Barman keeps its slot of a server that is only followed", () => {
  const stream = {} as NonNullable<SurveyInputs["stream"]>;
  expect(
    judge({ source: { slots: [SLOT_OF_BARMAN] }, inputs: { backup: BACKUP, stream } }),
  ).toEqual([]);
});

/** What forbids a migration that has begun, whose server had these roles at its beginning, and has them now. */
async function begun(
  { before, now = before }: { before?: string[]; now?: string[] },
  inputs: Partial<SurveyInputs>,
  old: Partial<SurveyInputs> = {},
): Promise<string[]> {
  const kept: Source = { ...SOURCE, backupRoles: before };
  const observe = ({ script }: Probe<unknown>) =>
    Promise.resolve(script.includes("source.json") ? kept : { roles: now, slots: [] });
  const context = { host: () => ({ observe }) } as unknown as Context;
  const found = await survey.check?.(context, { ...INPUTS, ...inputs }, old, "");
  return (found ?? []).map(({ reason }) => reason);
}

test("backups that a migration under way is given do not take the place of another Barman's", async () => {
  const refused = [expect.stringContaining("a1: expected no role barman yet")];
  expect(await begun({ before: ["barman"] }, { backup: BACKUP })).toEqual(refused);
  // It was renamed in the meantime.
  expect(await begun({ before: ["barman"], now: [] }, { backup: BACKUP })).toEqual([]);
  // Now it is the cluster's own.
  expect(await begun({ before: ["barman"] }, { backup: BACKUP }, { backup: BACKUP })).toEqual([]);
  expect(await begun({ before: [], now: ["barman"] }, { backup: BACKUP })).toEqual([]);
  expect(await begun({ before: ["barman"] }, {})).toEqual([]);
});

test.each<[name: string, found: Case, problem: string]>([
  [
    "another major version",
    { inputs: { version: 16 } },
    "a1: expected PostgreSQL 16, found 17. Set pgherd:cluster.postgresql.version to 17: a migration is no upgrade.",
  ],
  [
    "another major version of a server that is only followed",
    { inputs: { version: 18, stream: {} as NonNullable<SurveyInputs["stream"]> } },
    "a1: expected PostgreSQL 18, found 17. Set pgherd:cluster.postgresql.version to 17: a migration is no upgrade.",
  ],
  [
    "a standby",
    { details: { inRecovery: true } },
    "a1: expected a server that takes writes, found a standby. Name the host of its primary in pgherd:cluster.migration.from.",
  ],
  [
    "another user of the operating system",
    { details: { user: "pgsql" } },
    "a1: expected the server to be run by the user postgres, as whom Patroni runs, found pgsql. Stop it once, give its directories to postgres (chown -R) and start it as that user.",
  ],
  [
    "a socket that is in no folder",
    { source: { running: { ...SOURCE.running, unix_socket_directories: "/tmp, @pg" } } },
    "a1: expected its sockets to be in folders, found @pg in unix_socket_directories, of which Patroni would make a folder in the data. Take it out and restart the server, at a time of your choice.",
  ],
  [
    "a socket that nobody would look for",
    { source: { running: { ...SOURCE.running, unix_socket_directories: "/srv/run" } } },
    "a1: expected a socket in /var/run/postgresql or /tmp, found unix_socket_directories = '/srv/run'. Add one of them and restart the server, at a time of your choice.",
  ],
  [
    "a folder of sockets that its copies would look for, where it is only followed",
    {
      inputs: { stream: {} as NonNullable<SurveyInputs["stream"]> },
      details: {
        copiedPlaces: [
          { name: "unix_socket_directories", path: "/srv/shop/run" },
          { name: "unix_socket_directories", path: "/var/run/postgresql" },
        ],
      },
    },
    "a2: expected /srv/shop/run (unix_socket_directories), which ALTER SYSTEM has set and each copy starts with, found it not. Run there: getent passwd postgres || adduser --system --group --home /var/lib/postgresql --shell /bin/bash postgres; install -d -o postgres -g postgres /srv/shop/run",
  ],
  [
    "rules that its copies would look for, where it is only followed",
    {
      inputs: { stream: {} as NonNullable<SurveyInputs["stream"]> },
      details: { copiedPlaces: [{ name: "hba_file", path: "/etc/shop/hba.conf" }] },
    },
    "a2: expected /etc/shop/hba.conf (hba_file), which ALTER SYSTEM has set and each copy starts with, found it not. Run on the old server, before its next restart: SET default_transaction_read_only = off; ALTER SYSTEM RESET hba_file; Put it into postgresql.conf there.",
  ],
  [
    "no full pages in the WAL of a server that several members follow",
    {
      inputs: { stream: {} as NonNullable<SurveyInputs["stream"]>, others: { a2: [], a3: [] } },
      source: { configured: { ...SOURCE.configured, full_page_writes: "off" } },
    },
    "a1: expected full_page_writes to be on, without which no member can be copied from another one, found it off. Run there: SET default_transaction_read_only = off; ALTER SYSTEM SET full_page_writes = on; SELECT pg_reload_conf(); CHECKPOINT;",
  ],
  [
    "dates that Patroni could not read",
    { source: { configured: { ...SOURCE.configured, datestyle: "SQL, DMY" } } },
    "a1: expected datestyle of Patroni's sessions to be ISO, with MDY, DMY or YMD, found SQL, DMY in its files: " +
      "Patroni, which reads dates too, would no longer answer, and no load balancer would lead to a member. " +
      "Set it for the databases that need it (SET default_transaction_read_only = off; ALTER DATABASE … SET datestyle = …;), " +
      "take it out of the files there, and reload the server.",
  ],
  [
    "sessions of Patroni that no replica would answer",
    {
      details: {
        overrides: [
          ...["app", null].map((role) => ({
            ...{
              role,
              database: null,
              name: "default_transaction_isolation",
              value: "serializable",
            },
          })),
        ],
      },
    },
    "a1: expected default_transaction_isolation of Patroni's sessions to be read committed, repeatable read or read uncommitted, " +
      "found serializable by ALTER ROLE ALL: a replica refuses each question of such a session (PostgreSQL, Hot Standby), Patroni's too. " +
      "Run there: SET default_transaction_read_only = off; ALTER ROLE ALL RESET default_transaction_isolation; " +
      "Set it for the databases or users that need it.",
  ],
  [
    "a lesser role that Patroni would have",
    {
      details: {
        overrides: [{ role: "postgres", database: null, name: "role", value: "auditor" }],
      },
    },
    "a1: expected role of Patroni's sessions to be none, found auditor by ALTER ROLE \"postgres\": Patroni would have that role's rights alone, " +
      'and could neither see nor lead the server. Run there: SET default_transaction_read_only = off; ALTER ROLE "postgres" RESET role; ' +
      "Set it for the databases or users that need it.",
  ],
  [
    "somebody's slot with a member's name",
    { source: { slots: [{ name: "a2", type: "physical", database: null, plugin: null }] } },
    "a1: expected no replication slot a2 yet, from which a member of that name will stream, found that there is. Give its receiver another one, " +
      "then drop it (SET default_transaction_read_only = off; SELECT pg_drop_replication_slot('…');), or name the host otherwise in pgherd:hosts.",
  ],
  [
    "somebody's slot with the server's own name, which Patroni would drop as soon as it leads",
    { source: { slots: [{ name: "a1", type: "physical", database: null, plugin: null }] } },
    "a1: expected no replication slot a1 yet, from which a member of that name will stream, found that there is. Give its receiver another one, " +
      "then drop it (SET default_transaction_read_only = off; SELECT pg_drop_replication_slot('…');), or name the host otherwise in pgherd:hosts.",
  ],
  [
    "settings of ALTER SYSTEM that nobody could take back",
    {
      source: { configured: { ...SOURCE.configured, allow_alter_system: "no" } },
      details: { altered: ["primary_conninfo"] },
    },
    "a1: expected allow_alter_system to be on, since what ALTER SYSTEM has set (primary_conninfo) may have to be taken back, found it off. Take these out of postgresql.auto.conf with the server stopped, or set it to on in its files and reload the server; a cluster may have it off again.",
  ],
  [
    "broken lines in its files",
    { details: { errors: ["pg_hba.conf:7: invalid"] } },
    "a1: expected its files to be without errors, since a reload reads them, found pg_hba.conf:7: invalid. Mend these lines.",
  ],
  [
    "prepared transactions",
    { details: { preparedTransactions: 2 } },
    "a1: expected no prepared transaction, found 2 (max_prepared_transactions is 0). End each with COMMIT PREPARED or ROLLBACK PREPARED; pg_prepared_xacts lists them.",
  ],
  [
    "a mode in which it would wait for replicas that are not there yet",
    { inputs: { strict: true } },
    'a1: expected pgherd:cluster.replication.mode to let writes go on while there is no replica, found "strict". Migrate with "synchronous", then change it: one run, nothing restarts.',
  ],
  [
    "a role with a name that Patroni needs",
    { source: { roles: ["postgres", "replicator"] } },
    "a1: expected no role replicator yet, which Patroni will connect as, found that there is. Rename it (SET default_transaction_read_only = off; ALTER ROLE … RENAME TO …;), if somebody uses it, or drop it.",
  ],
  [
    "roles that another Barman connects as, where the stack has backups",
    { source: { backupRoles: ["barman", "streaming_barman"] }, inputs: { backup: BACKUP } },
    "a1: expected no role barman, streaming_barman yet, which the cluster's backups will connect as, found that there are. Rename them (SET default_transaction_read_only = off; ALTER ROLE … RENAME TO …;), and the user in the conninfo of the Barman that connects so, or drop them. Or leave pgherd:cluster.backup out until that one is gone.",
  ],
  [
    "such a role of a server that is only followed",
    {
      source: { backupRoles: ["barman"] },
      inputs: { backup: BACKUP, stream: {} as NonNullable<SurveyInputs["stream"]> },
    },
    "a1: expected no role barman yet, which the cluster's backups will connect as, found that there is. Rename it (SET default_transaction_read_only = off; ALTER ROLE … RENAME TO …;), and the user in the conninfo of the Barman that connects so, or drop it. Or leave pgherd:cluster.backup out until that one is gone.",
  ],
  [
    "the slot of another Barman's receiver, where the stack has backups",
    { source: { slots: [SLOT_OF_BARMAN] }, inputs: { backup: BACKUP } },
    "a1: expected no replication slot barman yet, which will keep WAL for the cluster's backups, found that there is. Give its receiver another one (slot_name of a Barman), then drop it: SET default_transaction_read_only = off; SELECT pg_drop_replication_slot('barman'); Or leave pgherd:cluster.backup out until that receiver is gone.",
  ],
  [
    "a password among the rules for clients",
    { source: { hba: ["host all all 10.0.0.0/8 ldap ldapserver=ldap1 ldapbindpasswd=hunter2"] } },
    "a1: expected pg_hba.conf to hold no password, since its rules become the cluster's, in the open, found ldapbindpasswd. Bind without one (ldapprefix, ldapsuffix), or let these clients use another method.",
  ],
  [
    "a password among the settings",
    { source: { configured: { archive_command: "***", work_mem: "4MB" } } },
    "a1: expected its settings to hold no password, since they become the cluster's, in the open, found one in archive_command. Put it into a file that only postgres reads (~/.pgpass, an environment file), on all hosts.",
  ],
  [
    "a new host whose C library sorts otherwise",
    { target: { glibc: "2.36" } },
    "a2: expected the C library 2.41, as on a1, since it decides how shop (de_DE.UTF-8) sort, found 2.36: indexes on text would be damaged. Use a host with the same release of Debian.",
  ],
  [
    "a new host without a locale of the databases",
    { target: { locales: ["C.utf8"] } },
    "a2: expected the locale de_DE.UTF-8, which its databases or settings name, found it not. Put it into /etc/locale.gen there and run locale-gen (package locales).",
  ],
  [
    "an extension of a package that the new hosts do not get",
    {
      details: {
        libraries: [{ name: "vector", package: "postgresql-17-pgvector" }],
      },
    },
    "a2: expected /usr/lib/postgresql/17/lib/vector.so, which the database loads, found it not. Add postgresql-17-pgvector to pgherd:cluster.postgresql.packages.",
  ],
  [
    "an extension that was built by hand",
    { details: { libraries: [{ name: "/usr/local/lib/own.so", package: "" }] } },
    "a2: expected /usr/local/lib/own.so, which the database loads, found it not. It comes from no package: install it there the way it was on the old host.",
  ],
  [
    "a certificate that the new hosts do not have",
    { details: { namedFiles: ["/etc/ssl/shop.key"] } },
    "a2: expected /etc/ssl/shop.key, which settings of the server name, for postgres to read, found it not. Copy it from a1, with its owner and mode.",
  ],
  [
    "a tablespace without a directory for it",
    { details: { tablespaces: [{ name: "fast", location: "/mnt/fast" }] } },
    "a2: expected an empty directory of the user postgres for each tablespace (fast), found none. Run there: getent passwd postgres || adduser --system --group --home /var/lib/postgresql --shell /bin/bash postgres; install -d -o postgres -g postgres -m 0700 /mnt/fast",
  ],
  [
    "a directory that settings name",
    { details: { namedDirectories: ["/var/log/shop", "/var/log/postgresql"] } },
    "a2: expected the directory /var/log/shop, which settings of the server name, for postgres to look into, found it not. Run there: getent passwd postgres || adduser --system --group --home /var/lib/postgresql --shell /bin/bash postgres; install -d -o postgres -g postgres -m 0700 /var/log/shop",
  ],
  [
    "a group that a setting gives the socket to",
    { details: { namedGroups: ["dba"] } },
    "a2: expected the user postgres in the group dba, which settings of the server name, found it not there. Run there: getent passwd postgres || adduser --system --group --home /var/lib/postgresql --shell /bin/bash postgres; groupadd -f --system dba; usermod -aG dba postgres",
  ],
  [
    "a locale of a setting alone",
    { details: { locales: ["de_DE.UTF-8", "fr_FR.UTF-8"] } },
    "a2: expected the locale fr_FR.UTF-8, which its databases or settings name, found it not. Put it into /etc/locale.gen there and run locale-gen (package locales).",
  ],
  [
    "the environment of the server",
    { source: { environmentFile: "/etc/postgresql/17/main/environment" } },
    "a2: expected /etc/postgresql/17/main/environment, which settings of the server name, for postgres to read, found it not. Copy it from a1, with its owner and mode.",
  ],
  [
    "a role postgres that is an application's",
    { details: { postgresRole: { superuser: false, login: true } } },
    "a1: expected the role postgres, as whom Patroni works, to be a superuser that may log in, found no superuser. Run there: SET default_transaction_read_only = off; ALTER ROLE postgres SUPERUSER LOGIN; or, if an application uses it, ALTER ROLE postgres RENAME TO …;",
  ],
  [
    "too little room for a copy",
    { target: { free: 2 ** 30 } },
    "a2: expected 5632 MB to be free for a copy of the data, found 1024 MB. Make room, or mount a larger disk there.",
  ],
])("%s is refused", (_name, found, problem) => {
  expect(judge(found)).toEqual([problem]);
});

test("all reasons are told at once", () => {
  const found: Case = { inputs: { version: 16, strict: true }, target: { locales: [], free: 0 } };
  expect(judge(found)).toHaveLength(4);
});
