import type { FoundSource, SourceDatabase } from "../facts/source";
import type { MigrationReportInputs } from "../inputs/survey";
import { SOCKETS } from "../../facts/postgres";
import { patroni } from "../../roles/patroni";
import { sizeOf } from "../../operations/words";

type Plan = Pick<MigrationReportInputs, "host" | "parameters" | "others" | "method" | "voidRules">;

/** What it means that a database lets nobody in, the survey included. */
const CLOSED: { readonly [why in NonNullable<SourceDatabase["closed"]>]: string } = {
  allowConnections:
    "lets nobody in (ALLOW_CONNECTIONS is false): it comes as it is, but which extensions and libraries it needs " +
    "on the other hosts, and whether it has unlogged tables, was not looked into",
  dropping:
    "lets nobody in, since its dropping was cut off: it comes as it is, and is good for nothing but DROP DATABASE",
};

/** Settings with which a crash, of one server or of the kernel, damages the data (PostgreSQL, "Write Ahead Log"). */
const UNSAFE = ["fsync", "full_page_writes"];

/** What a person would not find out before it matters. */
export function remarks(found: FoundSource, plan: Plan): string[] {
  const { source, details } = found;
  const { voidRules = [], method, parameters } = plan;
  const unlogged = details.databases.filter(({ unloggedTables }) => unloggedTables > 0);
  return [
    ...details.pending
      .filter(({ name }) => Object.hasOwn(parameters, name))
      .map(
        ({ name, file, running }) =>
          `${name}: it runs with ${running}, its files say ${file}; ${running} comes. ` +
          `For the other one: pgherd:cluster.postgresql.parameters.${name}`,
      ),
    ...notCarried(found, plan),
    ...processNoted(found, plan),
    ...ownSockets(found, plan),
    ...UNSAFE.filter((name) => isOff(source.configured[name])).map(
      (name) => `${name} is off, on all members: a power cut damages the data`,
    ),
    ...(details.md5Roles.length > 0
      ? [
          `passwords stored as MD5 (${details.md5Roles.join(", ")}): clients of the load balancers log in by md5, which takes both kinds`,
        ]
      : []),
    ...details.databases.flatMap(({ name, closed }) =>
      closed ? [`${name} ${CLOSED[closed]}`] : [],
    ),
    ...voidRules.map(
      (line) =>
        `holds for nobody who comes through the load balancers, which hide addresses: ${line}`,
    ),
    ...ofUnit(found, plan),
    ...(details.otherServers.length > 0 || (details.otherInstances.length > 0 && method === "adopt")
      ? [
          "other servers on this host stay as they are: " +
            [
              ...details.otherServers.map(({ port, directory }) => `port ${port} (${directory})`),
              ...details.otherInstances,
            ].join(", "),
        ]
      : []),
    ...(source.environmentFile
      ? [`${source.environmentFile} goes on to be its environment, on each member its own`]
      : []),
    ...(details.oldestTransaction > LONG_SECONDS
      ? [
          `a transaction has been open for ${details.oldestTransaction} s: ` +
            (method === "adopt" && source.slots.some(({ type }) => type === "logical")
              ? "if it has written, end it before the step replicated: until then Patroni restarts replicas again and again, to copy logical slots"
              : "a replica may let nobody in before its end (if it has more than 64 savepoints)"),
        ]
      : []),
    ...unlogged.map(
      ({ name, unloggedTables }) =>
        `${name} has ${unloggedTables} unlogged table${unloggedTables === 1 ? "" : "s"}: empty after any change of the leader`,
    ),
    ...(details.keptForSlots > LARGE_BYTES
      ? [`${sizeOf(details.keptForSlots)} of WAL are kept for the slowest slot`]
      : []),
    ...(source.configured.max_slot_wal_keep_size === undefined
      ? ["max_slot_wal_keep_size has no limit: a replica that stays away fills the disk with WAL"]
      : []),
    ...source.hba
      .filter((line) => /\s(trust|password)(\s|$)/.test(line))
      .map((line) => `pg_hba.conf lets in without a secret or with one in clear: ${line}`),
    ...source.hba
      .filter((line) => /ldapbindpasswd|radiussecrets/.test(line))
      .map(() => "a line of pg_hba.conf holds a password: it will stand in Pulumi's state"),
  ];
}

/** Where each server has what it has of its own. */
const PLACES =
  /^(port|listen_addresses|cluster_name|(data|unix_socket)_director(y|ies)|(hba|ident|config|external_pid)_file)$/;

/** Names alone: a value may hold a password, as that of primary_conninfo. */
function notCarried({ source, details }: FoundSource, { parameters }: Plan): string[] {
  const left = Object.entries(source.configured)
    .filter(
      ([name, value]) => value !== "" && !Object.hasOwn(parameters, name) && !PLACES.test(name),
    )
    .map(([name]) => name)
    .concat(details.leftOut);
  return left.length === 0
    ? []
    : [`not carried over, since they are Patroni's to set: ${left.sort().join(", ")}`];
}

function processNoted({ source }: FoundSource, { method }: Plan): string[] {
  const file = source.configured.external_pid_file ?? "";
  // There Debian's own tools have it noted: nobody else has asked for that.
  const noted = SOCKETS.some((folder) => file.startsWith(`${folder}/`));
  if (file === "" || noted || method !== "adopt") return [];
  return [
    `${file} (external_pid_file) is not written any more once Patroni starts the server: postmaster.pid in its data begins with the same`,
  ];
}

/** Limits, memory, variables: what holds for the server's unit holds for none that Patroni starts. */
function ofUnit({ source, details }: FoundSource, { method }: Plan): string[] {
  if (details.unitFiles.length === 0) return [];
  const files = `set for ${source.unit} alone: ${details.unitFiles.join(", ")}.`;
  const where = `/etc/systemd/system/${patroni.unit}.d`;
  return [
    method === "adopt"
      ? `${files} They hold until Patroni restarts the server; what is to hold then goes into ${where}, on each member, before until: adopted`
      : `${files} What is to hold for the members too goes into ${where} there`,
  ];
}

/** Folders of sockets that other members have not: clients there would look in vain. */
function ownSockets({ source }: FoundSource, { host, others }: Plan): string[] {
  const own = (source.running.unix_socket_directories ?? "")
    .split(",")
    .map((one) => one.trim())
    .filter((one) => one !== "" && !SOCKETS.includes(one.replace(/\/$/, "")));
  return own.length === 0
    ? []
    : [
        `sockets in ${own.join(", ")} (unix_socket_directories) stay ${host}'s alone: ${others.join(", ")} have theirs in ${SOCKETS[0]}`,
      ];
}

function isOff(value: string | undefined): boolean {
  return value !== undefined && /^(off?|f(a(l(se?)?)?)?|no?|0)$/i.test(value);
}

const LONG_SECONDS = 60;
const LARGE_BYTES = 2 ** 28;
