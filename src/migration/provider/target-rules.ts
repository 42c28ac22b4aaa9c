import { ANY_HOST, forMajor } from "../../distributions/distributions";
import type { CopyTarget } from "../facts/adoption";
import type { FoundSource, Library } from "../facts/source";
import { quote, words } from "../../host/shell";
import { toBeRun } from "../../operations/remedies";
import { spelled } from "../../provider/preflight-rules";
import type { SurveyInputs } from "../inputs/survey";

/** What keeps a database from being copied to a host, each reason with what to do; none if nothing does. */
export function judgeTarget(
  target: CopyTarget,
  found: FoundSource,
  inputs: SurveyInputs,
  name: string,
): string[] {
  return RULES.flatMap((rule) => rule(target, found, inputs, name) ?? []);
}

const RULES: readonly ((
  target: CopyTarget,
  found: FoundSource,
  inputs: SurveyInputs,
  name: string,
) => string | string[] | undefined)[] = [
  ...[collations, locales, libraries, namedFiles, namedDirectories, namedGroups],
  ...[tablespaces, copiedPlaces, space],
];

const WITHOUT_COLLATION = ["C", "POSIX", "C.UTF-8", "C.utf8"];

/** Where the C library sorts otherwise, indexes on text are damaged by the copy, silently. */
function collations({ glibc }: CopyTarget, { details }: FoundSource, { host }: SurveyInputs) {
  const sorted = details.databases.filter(
    ({ provider, collation }) => provider === "libc" && !WITHOUT_COLLATION.includes(collation),
  );
  if (sorted.length === 0 || glibc === details.glibc) return;
  const names = sorted.map(({ name, collation }) => `${name} (${collation})`).join(", ");
  return (
    `expected the C library ${details.glibc}, as on ${host}, since it decides how ${names} sort, found ${glibc}: ` +
    "indexes on text would be damaged. Use a host with the same release of Debian."
  );
}

function locales({ locales: there }: CopyTarget, { details }: FoundSource) {
  const absent = absentLocales(details.locales, there);
  if (absent.length === 0) return;
  return `expected the locale ${absent.join(", ")}, which its databases or settings name, found it not. ${LOCALE_GEN}`;
}

/** What a host has to be given that lacks a locale. */
export const LOCALE_GEN = "Put it into /etc/locale.gen there and run locale-gen (package locales).";

/** Which of these locales a host has not, of those that are no part of every C library. @param there as `locale -a` spells them. */
export function absentLocales(needed: readonly string[], there: readonly string[]): string[] {
  const own = new Set(needed.filter((one) => !WITHOUT_COLLATION.includes(one)));
  return [...own].filter((one) => !there.some((other) => spelled(other) === spelled(one)));
}

/** Modules that come with Debian's package of the server itself (its folder `contrib`, PostgreSQL, appendix F). */
const CONTRIB = [
  ...["amcheck", "auth_delay", "auto_explain", "autoinc", "basebackup_to_shell", "basic_archive"],
  ...["bloom", "btree_gin", "btree_gist", "citext", "cube", "dblink", "dict_int", "dict_xsyn"],
  ...["earthdistance", "file_fdw", "fuzzystrmatch", "hstore", "_int", "insert_username", "isn"],
  ...["lo", "ltree", "moddatetime", "pageinspect", "passwordcheck", "pg_buffercache", "pgcrypto"],
  ...["pg_freespacemap", "pg_prewarm", "pgrowlocks", "pg_stat_statements", "pgstattuple"],
  ...["pg_surgery", "pg_trgm", "pg_visibility", "pg_walinspect", "postgres_fdw", "refint", "seg"],
  ...["sslinfo", "tablefunc", "tcn", "test_decoding", "tsm_system_rows", "tsm_system_time"],
  ...["unaccent", "uuid-ossp", "pgxml", "pgoutput", "plpgsql"],
];

/** Where a library stands on a member that is set up by packages. */
export function libraryFile({ name }: Library, { version: major }: SurveyInputs): string {
  return name.startsWith("/") ? name : `${forMajor(ANY_HOST.paths.libraries, major)}/${name}.so`;
}

function libraries(
  target: CopyTarget,
  { details }: FoundSource,
  inputs: SurveyInputs,
  name: string,
) {
  const comes = (library: Library) =>
    CONTRIB.includes(library.name) ||
    target.files.includes(libraryFile(library, inputs)) ||
    (inputs.others[name] ?? []).includes(library.package);
  const absent = details.libraries.filter((library) => !comes(library));
  if (absent.length === 0) return;
  const packages = [...new Set(absent.map(({ package: owner }) => owner).filter(Boolean))];
  return (
    `expected ${absent.map((library) => libraryFile(library, inputs)).join(", ")}, which the database loads, found it not. ` +
    (packages.length > 0
      ? `Add ${packages.join(", ")} to pgherd:cluster.postgresql.packages.`
      : "It comes from no package: install it there the way it was on the old host.")
  );
}

/** The packages make the user so, and take one that is there. */
export const WITH_USER = `${ANY_HOST.makeUser}; `;

function namedFiles(target: CopyTarget, { source, details }: FoundSource, { host }: SurveyInputs) {
  const named = [
    ...details.namedFiles,
    ...(source.environmentFile ? [source.environmentFile] : []),
  ];
  const absent = named.filter(
    (file) => !target.files.includes(file) && !ANY_HOST.madeByPackages.test(file),
  );
  if (absent.length === 0) return;
  return `expected ${absent.join(", ")}, which settings of the server name, for postgres to read, found it not. Copy it from ${host}, with its owner and mode.`;
}

/** A server does not start without the directory of its log. */
function namedDirectories(target: CopyTarget, { details }: FoundSource) {
  const absent = details.namedDirectories.filter(
    (one) => !target.files.includes(one) && !ANY_HOST.madeByPackages.test(one),
  );
  if (absent.length === 0) return;
  return (
    `expected the directory ${absent.join(", ")}, which settings of the server name, for postgres to look into, found it not. ` +
    `Run there: ${WITH_USER}install -d -o postgres -g postgres -m 0700 ${words(absent)}`
  );
}

/** Of a server that is adopted they are taken back before it is copied. */
function copiedPlaces(target: CopyTarget, { details }: FoundSource, { stream }: SurveyInputs) {
  if (!stream) return;
  const absent = details.copiedPlaces.filter(
    ({ path }) => !target.files.includes(path) && !ANY_HOST.madeByPackages.test(path),
  );
  if (absent.length === 0) return;
  const folders = absent.filter(({ name }) => name !== "hba_file").map(({ path }) => path);
  const files = absent.filter(({ name }) => name === "hba_file").map(({ path }) => path);
  return (
    `expected ${absent.map(({ name, path }) => `${path} (${name})`).join(", ")}, which ALTER SYSTEM has set and each copy starts with, found it not. ` +
    [
      ...(folders.length > 0
        ? [`Run there: ${WITH_USER}install -d -o postgres -g postgres ${words(folders)}`]
        : []),
      ...(files.length > 0
        ? [
            `Run on the old server, before its next restart: ${toBeRun("ALTER SYSTEM RESET hba_file;")} Put it into postgresql.conf there.`,
          ]
        : []),
    ].join(". ")
  );
}

/** A server gives its socket to a group that it is in, or does not start. */
function namedGroups(target: CopyTarget, { details }: FoundSource) {
  const absent = details.namedGroups.filter((one) => !target.groups.includes(one));
  if (absent.length === 0) return;
  return (
    `expected the user postgres in the group ${absent.join(", ")}, which settings of the server name, found it not there. ` +
    `Run there: ${WITH_USER}${absent.map((one) => `groupadd -f --system ${quote(one)}; usermod -aG ${quote(one)} postgres`).join("; ")}`
  );
}

function tablespaces(target: CopyTarget, { details }: FoundSource) {
  const absent = details.tablespaces.filter(
    ({ location }) => !target.directories.includes(location),
  );
  if (absent.length === 0) return;
  const places = words(absent.map(({ location }) => location));
  return (
    `expected an empty directory of the user postgres for each tablespace (${absent.map(({ name }) => name).join(", ")}), found none. ` +
    `Run there: ${WITH_USER}install -d -o postgres -g postgres -m 0700 ${places}`
  );
}

/** What is written while the copy is made needs room too. */
const SPARE = 1.1;

function space({ free }: CopyTarget, { details }: FoundSource) {
  const size = details.databases.reduce((sum, one) => sum + one.size, 0);
  if (free >= size * SPARE) return;
  return (
    `expected ${megabytes(size * SPARE)} MB to be free for a copy of the data, found ${megabytes(free)} MB. ` +
    "Make room, or mount a larger disk there."
  );
}

function megabytes(bytes: number): number {
  return Math.ceil(bytes / 2 ** 20);
}
