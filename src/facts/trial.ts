import { ANY_HOST, forMajor } from "../distributions/distributions";
import type { Probe } from "../host/host";
import { asUser, hereDocument, quote, words } from "../host/shell";
import type { TrialInput } from "../resources/inputs/preflight";
import { booleanOf, numberOf } from "../setting-values";
import { identifier, ownSession } from "./sql";

const { paths } = ANY_HOST;

/** What a trial may take: a database is made for it. */
const TRIAL_SECONDS = 60;

/**
 * What a server of its own must not do, whatever it is to be tried with: reach anybody, take much, keep anything. Memory and huge
 * pages may be enough for the member's server alone, which runs beside it: they are counted, and the roll looks how the first
 * member comes up.
 */
const ALONE = [
  ...["listen_addresses=", "port=5432", "shared_buffers=16MB", "huge_pages=off"],
  ...["archive_mode=off", "archive_command=", "synchronous_standby_names=", "autovacuum=off"],
  ...["logging_collector=off", "log_destination=stderr", "log_line_prefix=", "lc_messages=C"],
  ...["log_min_messages=warning", "external_pid_file=", "restart_after_crash=off", "fsync=off"],
];

/**
 * Starts a server with these settings and lines of pg_hba.conf on a database of its own, which is gone afterwards, and begins
 * a session: no other judge knows libraries, keys, and what a setting's own check says. What keeps it from starting, or from
 * letting anybody in, is the answer, in the server's words; nothing if it does, or if there is no such program on the host yet.
 */
export function trialProbe(trial: TrialInput): Probe<string[]> {
  const program = quote(trial.binDirectory ?? forMajor(paths.programs, trial.version));
  return {
    script: `[ -x ${program}/postgres ] && [ -x ${program}/initdb ] || exit 0
${asUser("postgres", script(program, trial))}`,
    parse: (output) =>
      output
        .split("\n")
        .map((line) => line.trim())
        .filter((line) => line !== ""),
  };
}

/** Begins what a server says that starts, and ends every session as it begins. */
export const NOBODY = "no session: ";

/** Begins what a server says that does not create an extension: `no extension cube in shop: …`. */
export const NO_EXTENSION = "no extension ";

/** What a server says at every start and end. */
const ORDINARY =
  'starting PostgreSQL|listening on|database system (was|is)|received fast|aborting any|shutting down|checkpoint |could not write external PID file ""';

/** Extensions that a host does not have; nothing is said where there is no PostgreSQL of this version yet. */
export function absentExtensionsProbe({ version, extensions }: TrialInput): Probe<string[]> {
  return {
    script: `[ -x ${forMajor(paths.programs, version)}/postgres ] || exit 0
for name in ${words(extensions)}; do
  [ -f ${forMajor(paths.extensions, version)}/"$name".control ] || echo "$name"
done`,
    parse: (output) => output.split("\n").filter((line) => line !== ""),
  };
}

function script(program: string, trial: TrialInput): string {
  const { version, dataDirectory, dataComes } = trial;
  // Until 14 Debian gives each server one outside its data directory.
  const statistics = version < 15 ? ["stats_temp_directory=pg_stat_tmp"] : [];
  const options = optionsOf([...ALONE, ...statistics]);
  const keys = keysOf(trial);
  const sessionIn = (database: string, shielded: boolean) =>
    ownSession(
      {
        ...{ program: `${program}/psql`, socket: '"$work"', port: 5432 },
        ...{ role: "postgres", database: quote(database) },
      },
      { shielded },
    );
  return `work=$(mktemp -d /tmp/pgherd-trial.XXXXXX)
trap 'rm -rf "$work"' EXIT
cd "$work"
export LC_ALL=C
${canLog(trial)}
# Segments of WAL decide what else may be set (PostgreSQL, min_wal_size). Where there is no data yet, they are of the usual
# size, or, if it comes from elsewhere, of one that nobody knows here: then the smallest forbids nothing.
bytes=$(${program}/pg_controldata -D ${quote(dataDirectory)} 2>/dev/null | sed -n 's/^Bytes per WAL segment: *//p' || :)
case $bytes in
  '' | *[!0-9]*) there= segments=${dataComes ? 1 : 16} ;;
  *) there=yes segments=$((bytes / 1048576)) ;;
esac
keys=${quote(optionsOf(keys))}
${dataComes ? `[ -n "$there" ] || keys='-c ssl=off'` : ""}
if ! ${program}/initdb -D data -U postgres -A trust -E UTF8 --no-locale --no-sync --wal-segsize="$segments" >log 2>&1; then
  cat log >&2
  exit 1
fi
cat >>data/postgresql.conf ${hereDocument(settingsOf(trial))}
cat >data/pg_hba.conf ${hereDocument(["local all postgres peer", ...trial.hba, ""].join("\n"))}
starts() {
  eval "set -- $keys"
  timeout -s INT ${TRIAL_SECONDS} ${program}/postgres -D data -c unix_socket_directories="$work" ${options} "$@" >log 2>&1 &
  server=$!
  # Line 8 tells how far it is; the file is not there at first, and not any more where it has ended.
  until [ "$(sed -n '8s/ *$//p' data/postmaster.pid 2>/dev/null || :)" = ready ]; do
    # One that has ended is no process.
    kill -0 $server 2>/dev/null || return 1
    sleep 0.1
  done
  # Sessions load libraries too: without one of them the server runs, and lets nobody in.
  login=0
  ${sessionIn("postgres", false)} -c '' </dev/null >said 2>&1 || login=$?
  # Such as a session without a server (psql, "Exit Status").
  if [ $login = 2 ]; then
    sed -nE 's/^.*(FATAL|PANIC): */${NOBODY}/p' said | head -n 3 >refused
    [ -s refused ] || sed -n '1s/^/${NOBODY}/p' said >refused
    cat refused
  elif [ $left = ${ROUNDS} ]; then
${creations(trial, (database) => sessionIn(database, true)) || "  :"}
  fi
  kill -INT $server
  # How it ends is of no interest.
  wait $server || :
}
# A server tells of one kind of mistakes, and ends: what it has named is left out, so that the next start tells the rest.
left=${ROUNDS}
until starts; do
  sed -nE -e '/^(LOG|postgres): *(${ORDINARY})/d' -e 's/^(FATAL|PANIC|ERROR|LOG|CONTEXT|DETAIL|postgres): *//p' log >said
  [ -s said ] || tail -n 3 log >said
  cat said
  left=$((left - 1))
  [ $left -gt 0 ] || break
  cp data/postgresql.conf before.conf
  cp data/pg_hba.conf before.hba
  for name in $(sed -nE 's/.*parameter "([A-Za-z0-9_.]+)".*/\\1/p' said); do sed -i "/^$name = /Id" data/postgresql.conf; done
  if grep -qE 'could not (access file|load library)' said; then sed -i '/^shared_preload_libraries = /d' data/postgresql.conf; fi
  if grep -qF pg_hba.conf said; then sed -i '2,$d' data/pg_hba.conf; fi
  if cmp -s data/postgresql.conf before.conf && cmp -s data/pg_hba.conf before.hba; then break; fi
done`;
}

/** Kinds of mistakes that a trial tells at most. */
const ROUNDS = 6;

/**
 * Creates the extensions that the host has, each in a database of the name that it is wanted in: some look at that. Data that come
 * from elsewhere have theirs, and settings of their own for them.
 */
function creations(
  { version, dataComes, databases = {} }: TrialInput,
  sessionIn: (database: string) => string,
): string {
  if (dataComes || Object.keys(databases).length === 0) return "";
  const inEach = Object.entries(databases).map(([database, extensions]) => {
    const each = extensions.map(
      (
        extension,
      ) => `if [ -f ${forMajor(paths.extensions, version)}/${quote(extension)}.control ]; then
  ${sessionIn(database)} 2>said ${hereDocument(`SET search_path = public;\nCREATE EXTENSION ${identifier(extension)};\n`).replace("\n", () => ` || refused ${quote(`${NO_EXTENSION}${extension} in ${database}: `)}\n`)}fi`,
    );
    const create = hereDocument(`CREATE DATABASE ${identifier(database)};\n`);
    // A database that cannot be made has extensions that cannot be tried: no finding.
    return `if ${sessionIn("postgres")} 2>/dev/null ${create}then
${each.join("\n")}
fi`;
  });
  return `refused() {
  # Of a server that has ended in the middle nothing is known.
  sed -nE -e '/terminating connection/d' -e 's/^.*(ERROR|FATAL): *//p' said | head -n 1 >refused
  [ ! -s refused ] || printf '%s%s\\n' "$1" "$(cat refused)"
}
${inEach.join("\n")}`;
}

/**
 * Tells what the server would say where it cannot write to a log of its own. A trial writes none: not there. The server makes
 * the directory, but none above it (postmaster/syslogger.c, SysLogger_Start).
 */
function canLog({ settings, dataDirectory }: TrialInput): string {
  const { logging_collector: collects = "off", log_directory: given = "log" } = settings;
  if (booleanOf(collects) !== true) return "";
  const inData = !given.startsWith("/");
  return `logs=${quote(inData ? `${dataDirectory}/${given}` : given)}
tell() { printf 'could not open a log file in "%s" (log_directory): the user postgres may not %s\\n' "$logs" "$1"; }
# Its data may be still to come.
if ${inData ? `[ ! -d ${quote(dataDirectory)} ]` : "false"}; then :
elif [ -d "$logs" ]; then
  { [ -w "$logs" ] && [ -x "$logs" ]; } || tell 'write there'
else
  above=$(dirname -- "$logs")
  { [ -d "$above" ] && [ -w "$above" ] && [ -x "$above" ]; } || tell 'make that directory'
fi`;
}

function optionsOf(settings: readonly string[]): string {
  return settings.map((one) => `-c ${quote(one)}`).join(" ");
}

function settingsOf({ settings }: TrialInput): string {
  return Object.entries(settings)
    .map(([name, value]) => `${name} = '${value.replaceAll("\\", "\\\\").replaceAll("'", "''")}'\n`)
    .join("");
}

/** Files of keys that PostgreSQL looks for in its data directory, with their defaults; a trial has another one. */
const KEYS: { readonly [setting: string]: string } = {
  ssl_cert_file: "server.crt",
  ssl_key_file: "server.key",
  ssl_ca_file: "",
  ssl_crl_file: "",
  ssl_dh_params_file: "",
};

function keysOf({ settings, dataDirectory }: TrialInput): string[] {
  return Object.entries(KEYS).flatMap(([setting, usual]) => {
    const path = settings[setting] ?? usual;
    return path === "" || path.startsWith("/") ? [] : [`${setting}=${dataDirectory}/${path}`];
  });
}

/** Bytes that the host's kernel keeps, or may make, in huge pages. */
export function hugePagesProbe({ settings }: Pick<TrialInput, "settings">): Probe<number> {
  const size = numberOf(settings.huge_page_size ?? "0", { type: "integer", unit: "kB" }) ?? 0;
  return {
    // 0 is the size that the kernel has as its own.
    script: `size=${size}
[ $size -gt 0 ] || size=$(sed -n 's/^Hugepagesize: *\\([0-9]*\\) kB/\\1/p' /proc/meminfo)
for pages in /sys/kernel/mm/hugepages/hugepages-"$size"kB/nr_hugepages /sys/kernel/mm/hugepages/hugepages-"$size"kB/nr_overcommit_hugepages; do
  [ ! -r "$pages" ] || echo "$size $(cat "$pages")"
done`,
    parse: (output) =>
      [...output.matchAll(/^(\d+) (\d+)$/gm)].reduce(
        (sum, [, kilobytes, pages]) => sum + Number(kilobytes) * 1024 * Number(pages),
        0,
      ),
  };
}
