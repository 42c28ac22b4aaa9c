import { expect, test } from "vitest";
import { FactError } from "../../../src/errors";
import { ROLES_OF_BACKUPS, sourceProbe } from "../../../src/migration/facts/source";
import { survey } from "../../../src/migration/provider/survey";
import { BACKUP_ROLES } from "../../../src/plan/backup";

// What a server answers that is to be migrated, which is somebody's whom nobody knows yet.

const RULE = {
  ...{ type: "host", databases: ["shop"], users: ["shop"], address: "10.0.0.0" },
  ...{ mask: "255.0.0.0", method: "scram-sha-256", options: null as string[] | null },
};

const ANSWER = {
  ...{ systemIdentifier: "7400000000000000001", version: 17, fullVersion: "17.6" },
  ...{
    inRecovery: false,
    checksums: true,
    hbaFile: "/d/pg_hba.conf",
    identFile: "/d/pg_ident.conf",
  },
  ...{ configFile: "/d/postgresql.conf", configured: {}, given: {}, running: {}, restarting: [] },
  ...{
    hba: [RULE],
    ident: [],
    slots: [],
    ownRoles: ["postgres"],
    backupRoles: [],
    databases: [],
    roles: [],
  },
  ...{ altered: [], files: [], errors: [], standbys: [], overrides: [], preparedTransactions: 0 },
  ...{ ruleFiles: { "/d/pg_hba.conf": "", "/d/pg_ident.conf": "" }, pending: [] },
  ...{ postgresRole: null, md5Roles: [] as string[], makesMd5: false, locales: [] },
  ...{ oldestTransaction: 0, tablespaces: [], clients: [], namedFiles: [], keptForSlots: 0 },
};

const base64 = (text: string) => Buffer.from(text).toString("base64");

function output(answer: object, code = "0"): string {
  const server = `server ${base64(JSON.stringify({ ...ANSWER, ...answer }))} ${base64(code)}`;
  const rest = { user: "postgres", data: "/d", program: "/usr/lib/postgresql/17/bin/postgres" };
  return [server, ...Object.entries(rest).map(([key, text]) => `${key} ${base64(text)}`)].join(
    "\n",
  );
}

const probe = sourceProbe(5432, "postgres");

test.each<[name: string, answer: object, where: string]>([
  [
    "a line of pg_hba.conf in a name",
    { hba: [{ ...RULE, users: ["a\nhost all all all trust"] }] },
    "hba.0.users.0",
  ],
  ["words after an address", { hba: [{ ...RULE, address: "all trust #" }] }, "hba.0.address"],
  [
    "a second setting in a value",
    { configured: { work_mem: "4MB\nfsync = off" } },
    "configured.work_mem",
  ],
  ["a name that is no setting's", { configured: { "a = 1\nb": "x" } }, "configured"],
  ["a file that is no path", { hbaFile: "-rf\n" }, "hbaFile"],
  [
    "a slot's name with SQL in it",
    { slots: [{ name: "a'; drop", type: "physical", database: null, plugin: null }] },
    "slots.0.name",
  ],
  ["an escape sequence for the terminal", { roles: ["\u001b]0;x\u0007"] }, "roles.0"],
  ["a number that is a text", { version: "17" }, "version"],
])("an answer with %s is refused, and said where", (_name, answer, where) => {
  const attempt = () => probe.parse(output(answer));
  expect(attempt).toThrow(FactError);
  expect(attempt).toThrow(
    `expected the server to tell its settings as PostgreSQL does, found something else in ${where}`,
  );
});

const file = (text: string) => ({
  ruleFiles: {
    "/d/pg_hba.conf": Buffer.from(text).toString("base64"),
    "/d/pg_ident.conf": Buffer.from('m "a#b" c # d\n').toString("base64"),
  },
});

test("directories that a copy needs are those that its own start does not make", () => {
  const configured = {
    log_directory: "/var/log/shop",
    stats_temp_directory: "/var/run/postgresql/14-main.pg_stat_tmp",
  };
  expect(probe.parse(output({ configured })).details.namedDirectories).toEqual(["/var/log/shop"]);
});

test("rules are carried as they are spelled, and with what PostgreSQL makes of them", () => {
  const { source } = probe.parse(
    output(file('host all +"team a" all ldap ldapbasedn="a=b,c=d" # x\n')),
  );
  expect(source.hba).toEqual(['host all +"team a" all ldap ldapbasedn="a=b,c=d"']);
  expect(source.ident).toEqual(['m "a#b" c']);
  expect(source.hbaRows).toEqual([JSON.stringify(RULE)]);
});

test("roles that another Barman connects as are found, whether the stack has backups or not", () => {
  expect(probe.script).toContain(`rolname in ('barman', 'streaming_barman')`);
  expect([...ROLES_OF_BACKUPS].sort()).toEqual(Object.values(BACKUP_ROLES).sort());
  const found = probe.parse(output({ backupRoles: ["barman"] }));
  expect(found.source.backupRoles).toEqual(["barman"]);
});

test("where passwords are stored as MD5, or will be, clients log in by a method that takes those", () => {
  const passwords = (answer: object) => probe.parse(output(answer)).source.passwords;
  expect(passwords({})).toBe("scram-sha-256");
  expect(passwords({ md5Roles: ["old"] })).toBe("md5");
  expect(passwords({ makesMd5: true })).toBe("md5");
});

test("text of the server cannot be taken for what the host tells", () => {
  const answer = { fullVersion: "17 user root program /x" };
  expect(probe.parse(output(answer)).details.user).toBe("postgres");
});

const CANARIES = {
  configured: {
    primary_conninfo: "host=a password=canary-1",
    restore_command: "restore --password=canary-2 %f",
    archive_command: "PGPASSWORD=canary-3 push %p",
    recovery_end_command: "curl https://me:canary-4@host/",
    "app.jwt_secret": "canary-5",
    "shop.url": "postgres://shop:canary-6@db/shop",
    work_mem: "4MB",
    password_encryption: "scram-sha-256",
    "app.token_ttl": "3600",
  },
  given: { primary_conninfo: "password=canary-7" },
  hba: [{ ...RULE, method: "ldap", options: ["ldapserver=ldap1", "ldapbindpasswd=canary-8"] }],
  ...file('host all all all ldap ldapserver=ldap1 ldapbindpasswd="canary-9"\n'),
};

test("no secret of a server's configuration gets into the state of its survey", async () => {
  const found = probe.parse(output(CANARIES));
  const inputs = { host: "a1", port: 5432, superuser: "postgres", keptOn: [] };
  const context = { host: () => ({ observe: () => Promise.resolve(found) }) };
  const state = await survey.apply(context as never, "urn", inputs as never, {} as never);
  expect(JSON.stringify(state)).not.toContain("canary");
  expect(state.source.configured).toEqual({
    archive_command: "***",
    "app.jwt_secret": "***",
    "shop.url": "***",
    work_mem: "4MB",
    password_encryption: "scram-sha-256",
    "app.token_ttl": "3600",
  });
});

test("files of the server's unit are told one by one, and none where it has none", () => {
  const files = "/etc/systemd/system/a.service.d/a.conf\n/etc/systemd/system/a.service.d/b.conf";
  const told = probe.parse(`${output({})}\nunitfiles ${base64(files)}`);
  expect(told.details.unitFiles).toEqual(files.split("\n"));
  expect(probe.parse(output({})).details.unitFiles).toEqual([]);
});

test("all files that a server reads are known, those of its rules too", () => {
  const files = ["/etc/shared/tuning.conf", "/d/postgresql.conf"];
  const ruleFiles = { ...ANSWER.ruleFiles, "/etc/shared/rules": "", "/d/none": null };
  expect(probe.parse(output({ files, ruleFiles })).source.files).toEqual([
    ...["/d/pg_hba.conf", "/d/pg_ident.conf", "/d/postgresql.conf"],
    ...["/etc/shared/rules", "/etc/shared/tuning.conf"],
  ]);
});

test("of settings that hold secrets and that no cluster takes over the names are known", () => {
  const configured = { restore_command: "scp -pw canary backup:%f %p", recovery_end_command: "" };
  const given = { primary_conninfo: "password=canary" };
  const { details } = probe.parse(output({ configured, given }));
  expect(details.leftOut).toEqual(["primary_conninfo", "restore_command"]);
});

test("where ALTER SYSTEM has put what a server does not start without is told as its copies find it", () => {
  const pending = [
    {
      ...{ name: "unix_socket_directories", file: '/var/run/postgresql, "/srv/shop"' },
      ...{ from: "/d/postgresql.auto.conf", running: "/var/run/postgresql" },
    },
  ];
  const configured = { ...ANSWER.configured, unix_socket_directories: "/var/run/postgresql" };
  const altered = ["unix_socket_directories"];
  expect(
    probe
      .parse(output({ altered, configured, pending }))
      .details.copiedPlaces.map(({ path }) => path),
  ).toEqual(["/var/run/postgresql", "/srv/shop"]);
  expect(probe.parse(output({ configured, pending })).details.copiedPlaces).toEqual([]);
});

test("a superuser whose login fails may lack the right to log in, or a line of pg_hba.conf: its server says which in a language of its own", () => {
  const told = `user ${base64("postgres")}\nserver ${base64("FATAL:  für Rolle »postgres« ist das Einloggen nicht erlaubt")} ${base64("2")}`;
  const attempt = () => probe.parse(told);
  expect(attempt).toThrow(/got: FATAL: {2}für Rolle »postgres« ist das Einloggen nicht erlaubt/);
  const hint = (() => {
    try {
      return (attempt(), "");
    } catch (error) {
      return (error as FactError).hint ?? "";
    }
  })();
  expect(hint).toContain('ALTER ROLE "postgres" LOGIN;');
  expect(hint).toContain('put "local all postgres peer" first into its pg_hba.conf');
});
