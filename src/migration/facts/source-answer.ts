// What a server answers that is to be migrated becomes configuration of members, names in SQL and paths on hosts: it is
// data of somebody whom nobody knows yet, and only what such a server can have is let through.
import { z } from "zod";
import { FactError } from "../../errors";
import type { Source } from "../inputs/source";
import { rowOf } from "../../facts/loaded-rules";
import { ruleLines } from "../../facts/rule-files";
import { leftOut, optionWithoutSecret, withoutSecrets } from "../../facts/secrets";
import type { FoundSource, SourceDatabase } from "./source";

const line = z.string().regex(/^[^\p{Cc}]*$/u, { error: "no control character" });
/** Settings may be indented by tabs. */
const value = z.string().regex(/^(\t|[^\p{Cc}])*$/u, { error: "no line break" });
const path = z.string().regex(/^\/[^\p{Cc}]*$/u, { error: "an absolute path" });
const setting = z.string().regex(/^[a-z_][a-z0-9_$.]*$/, { error: "the name of a setting" });
const settings = z.record(setting, value);
const count = z.number().nonnegative();
/** A message to show. */
const said = z.string().transform((text) => text.replace(/\p{Cc}+/gu, " "));

const hbaRule = z.object({
  type: z.enum(["local", "host", "hostssl", "hostnossl", "hostgssenc", "hostnogssenc"]),
  databases: z.array(line),
  users: z.array(line),
  address: z
    .string()
    .regex(/^[A-Za-z0-9.:_-]+$/)
    .nullable(),
  mask: z
    .string()
    .regex(/^[0-9a-fA-F.:]+$/)
    .nullable(),
  method: z.string().regex(/^[a-z0-9-]+$/),
  options: z.array(line).nullable(),
});

const mapping = z.object({ map: line, system: line, role: line });

const waiting = z.array(z.object({ name: setting, file: value, from: path, running: value }));

/** @throws FactError if it is nothing that PostgreSQL answers. */
export function readWaiting(found: unknown): z.infer<typeof waiting> {
  return understood("what waits for a restart", waiting, JSON.stringify(found));
}

const answer = z.object({
  systemIdentifier: z.string().regex(/^\d{1,20}$/),
  version: z.int(),
  fullVersion: line,
  inRecovery: z.boolean(),
  checksums: z.boolean(),
  hbaFile: path,
  identFile: path,
  configFile: path,
  configured: settings,
  given: settings,
  running: settings,
  restarting: z.array(setting),
  hba: z.array(hbaRule),
  ident: z.array(mapping),
  ruleFiles: z.record(z.string(), z.string().nullable()),
  pending: waiting,
  postgresRole: z.object({ superuser: z.boolean(), login: z.boolean() }).nullable(),
  md5Roles: z.array(line),
  makesMd5: z.boolean(),
  locales: z.array(line),
  slots: z.array(
    z.object({
      name: z.string().regex(/^[a-z0-9_]{1,63}$/),
      type: z.enum(["physical", "logical"]),
      database: line.nullable(),
      plugin: z
        .string()
        .regex(/^[A-Za-z0-9_$.-]+$/)
        .nullable(),
    }),
  ),
  ownRoles: z.array(z.string().regex(/^[a-z_]+$/)),
  backupRoles: z.array(z.string().regex(/^[a-z_]+$/)),
  databases: z.array(
    z.object({
      ...{ name: line, size: count, collation: line, provider: line.nullable() },
      closed: z.enum(["allowConnections", "dropping"]).nullish(),
    }),
  ),
  roles: z.array(line),
  altered: z.array(setting),
  files: z.array(line),
  errors: z.array(said),
  standbys: z.array(z.object({ name: said, address: line })),
  overrides: z.array(
    z.object({
      role: z.string().nullable(),
      database: z.string().nullable(),
      name: z.string(),
      value: z.string(),
    }),
  ),
  preparedTransactions: count,
  oldestTransaction: z.number(),
  tablespaces: z.array(z.object({ name: line, location: path })),
  clients: z.array(
    z.object({
      ...{ user: line.nullable(), database: line.nullable(), address: line },
      ...{ application: said, sessions: count },
    }),
  ),
  namedFiles: z.array(path),
  keptForSlots: z.number(),
});

const ofDatabase = z.object({ extensions: z.array(line), unloggedTables: count });

/** What the script of `sourceProbe` has told, by key: none of it can be taken for another. */
type Told = (key: string) => readonly (readonly string[])[];

/**
 * Reads the lines of a script: a key and words in base64 each, so that nobody's text ends a line or begins another.
 */
export function readTold(output: string): Told {
  const lines = output
    .split("\n")
    .filter((one) => one !== "")
    .map((one) => one.split(" "));
  return (key) =>
    lines
      .filter(([first]) => first === key)
      .map(([, ...words]) => words.map((word) => Buffer.from(word, "base64").toString()));
}

/** @throws FactError if the server's answer is none that PostgreSQL gives, or holds what no member can be given. */
export function readSource(told: Told, port: number): FoundSource {
  const one = (key: string) => told(key)[0]?.[0] ?? "";
  const server = understood("its settings", answer, one("server"));
  const program = understood("its program", path, JSON.stringify(one("program")));
  const [silent] = told("unasked").flat();
  if (silent !== undefined) {
    throw new FactError(
      `expected its database ${JSON.stringify(silent)} to tell its extensions and libraries, got no answer, or one that is too long.`,
      "Let the superuser in there (pg_hba.conf, on the socket), end what keeps it locked, or drop it: what it needs is not known otherwise.",
    );
  }
  const each = new Map(
    told("database").map(([name = "", found = ""]) => [
      name,
      understood(`its database ${JSON.stringify(name)}`, ofDatabase, found),
    ]),
  );
  const lines = (file: string, what: string) =>
    understood(
      what,
      z.array(value),
      JSON.stringify(ruleLines(file, server.ruleFiles, server.version)),
    );
  const configDirectory = server.configFile.replace(/\/[^/]*$/, "");
  const unit = one("unit");
  const unitFiles = one("unitfiles").split("\n").filter(Boolean);
  const rules = Object.entries(server.ruleFiles).filter(([, content]) => content !== null);
  const files = new Set([...server.files, ...rules.map(([file]) => file)]);
  const configured = { ...server.configured, ...server.given };
  const others = {
    servers: told("neighbour").map(([port = "", directory = ""]) => ({
      port: Number(port),
      directory: understood("a server beside it", path, JSON.stringify(directory)),
    })),
    // Of a server that was started past Debian's own means all is masked that could start it a second time.
    started:
      unit !== instanceUnit(configDirectory)
        ? []
        : told("instance")
            .flat()
            .filter((directory) => directory !== configDirectory),
  };
  return {
    source: {
      systemIdentifier: server.systemIdentifier,
      version: server.version,
      port,
      dataDirectory: understood("its directory", path, JSON.stringify(one("data"))),
      configDirectory,
      binDirectory: program.replace(/ \(deleted\)$/, "").replace(/\/[^/]*$/, ""),
      hbaFile: server.hbaFile,
      identFile: server.identFile,
      unit,
      // It would start Debian's other servers no more.
      enabled: [...new Set(told("enabled").flat())].filter(
        (name) => name === unit || others.started.length === 0,
      ),
      checksums: server.checksums,
      configured: withoutSecrets(configured),
      running: server.running,
      restarting: server.restarting,
      hba: lines(server.hbaFile, "its pg_hba.conf"),
      ident: lines(server.identFile, "its pg_ident.conf"),
      hbaRows: server.hba.map(({ options, ...rule }) =>
        rowOf({ ...rule, options: options?.map(optionWithoutSecret) ?? null }),
      ),
      identRows: server.ident.map(rowOf),
      slots: server.slots,
      roles: server.ownRoles,
      backupRoles: server.backupRoles,
      passwords: server.makesMd5 || server.md5Roles.length > 0 ? "md5" : "scram-sha-256",
      otherPorts: [...new Set(others.servers.map(({ port: its }) => its))].sort((a, b) => a - b),
      tablespaces: server.tablespaces.map(({ location }) => location),
      files: [...files].sort(),
      environmentFile: told("environment")
        .flat()
        .find((file) => file === `${configDirectory}/environment`),
    } satisfies Source,
    details: {
      fullVersion: server.fullVersion,
      inRecovery: server.inRecovery,
      user: one("user"),
      programReplaced: program.endsWith(" (deleted)"),
      databases: server.databases.map(
        ({ name, size, collation, provider, closed }): SourceDatabase => ({
          ...{ name, size, collation },
          provider: PROVIDERS[provider ?? "c"] ?? "libc",
          extensions: each.get(name)?.extensions ?? [],
          unloggedTables: each.get(name)?.unloggedTables ?? 0,
          ...(closed && { closed }),
        }),
      ),
      roles: server.roles,
      altered: server.altered,
      leftOut: leftOut(configured),
      files: server.files,
      errors: server.errors,
      standbys: server.standbys,
      overrides: server.overrides,
      preparedTransactions: server.preparedTransactions,
      oldestTransaction: server.oldestTransaction,
      tablespaces: server.tablespaces,
      clients: server.clients.map(({ user, database, ...client }) => ({
        ...client,
        user: user ?? "",
        database: database ?? "",
      })),
      libraries: distinct(
        told("library").map(([name = "", owner = ""]) => ({ name, package: owner })),
      ),
      namedFiles: [...new Set([...server.namedFiles, ...namedPaths(configured, false)])],
      namedDirectories: namedPaths(configured, true),
      copiedPlaces: copiedPlaces(server.altered, configured, server.pending),
      namedGroups: [configured.unix_socket_group ?? ""].filter((name) => name !== ""),
      locales: [
        ...new Set([...server.locales, ...LOCALE_SETTINGS.map((name) => configured[name] ?? "")]),
      ].filter((name) => name !== ""),
      md5Roles: server.md5Roles,
      pending: server.pending,
      postgresRole: server.postgresRole,
      unitFiles: understood("its unit's files", z.array(path), JSON.stringify(unitFiles)),
      otherServers: others.servers,
      otherInstances: told("instance")
        .flat()
        .filter((directory) => directory !== configDirectory),
      glibc: one("glibc"),
      keptForSlots: server.keptForSlots,
    },
  };
}

const PROVIDERS: { readonly [letter: string]: string } = { c: "libc", i: "icu", b: "builtin" };

function understood<T>(what: string, schema: z.ZodType<T>, text: string): T {
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch {
    throw new FactError(
      `expected the server to tell ${what} as PostgreSQL does, got ${JSON.stringify(text.slice(0, 300))}.`,
      "Is it PostgreSQL, and in order? Look into its log.",
    );
  }
  const { success, data, error } = schema.safeParse(found);
  if (success) return data;
  const { path: where, message } = error.issues[0] ?? { path: [], message: "" };
  throw new FactError(
    `expected the server to tell ${what} as PostgreSQL does, found something else in ${where.join(".") || "it"} (${message}).`,
    "Change it on the server: members are given nothing of that kind.",
  );
}

function distinct<T extends { readonly name: string }>(all: readonly T[]): T[] {
  return [...new Map(all.map((one) => [one.name, one])).values()].sort((a, b) =>
    a.name < b.name ? -1 : 1,
  );
}

const LOCALE_SETTINGS = ["lc_messages", "lc_monetary", "lc_numeric", "lc_time"];

/** Debian's unit for the server with its files in this directory. */
function instanceUnit(directory: string): string | undefined {
  const [, version, name] = /^\/etc\/postgresql\/([^/]+)\/([^/]+)$/.exec(directory) ?? [];
  return version && name && `postgresql@${version}-${name}.service`;
}

/** Where a server has what it does not start without: ALTER SYSTEM's file lies in the data, and comes with every copy. */
const COPIED_PLACES = ["unix_socket_directories", "hba_file"];

/** Their values as a copy finds them, those that wait for a restart too. */
function copiedPlaces(
  altered: readonly string[],
  configured: { readonly [name: string]: string },
  pending: readonly { readonly name: string; readonly file: string }[],
) {
  return COPIED_PLACES.filter((name) => altered.includes(name)).flatMap((name) => {
    const text = pending.find((one) => one.name === name)?.file ?? configured[name] ?? "";
    const paths = text
      .split(",")
      .map((one) => one.trim().replace(/^"(.*)"$/, "$1"))
      .filter((one) => one.startsWith("/"));
    return paths.map((path) => ({ name, path }));
  });
}

/** Files that count only where connections are encrypted, which the server itself tells. */
const FILES_OF_SSL = /^(ssl_|krb_)/;

/**
 * Where a server has what it has of its own: members have that elsewhere. The last one is there up to PostgreSQL 14, and
 * Debian's is made by pg_ctlcluster at each start, below /run.
 */
const PLACES =
  /^(data_directory|(config|hba|ident|external_pid)_file|unix_socket_directories|stats_temp_directory)$/;

/** Paths that are the whole value of a setting, of PostgreSQL's own or of an extension's. */
function namedPaths(configured: { readonly [name: string]: string }, directories: boolean) {
  return Object.entries(configured)
    .filter(
      ([name, text]) => text.startsWith("/") && !/[\s,:%\p{Cc}]/u.test(text) && !PLACES.test(name),
    )
    .filter(([name]) => !FILES_OF_SSL.test(name) && !name.endsWith("_command"))
    .filter(([name]) => /_director(y|ies)$/.test(name) === directories)
    .map(([, text]) => text);
}
