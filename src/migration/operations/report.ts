// What a migration will do to a server, as its owner wants to read it before he signs. Pure: facts in, text out.
import type { Client, FoundSource, SourceDatabase } from "../facts/source";
import type { MigrationReportInputs } from "../inputs/survey";
import { sizeOf } from "../../operations/words";

/** One setting that will be another. */
export interface SettingChange {
  readonly name: string;
  readonly from: string;
  readonly to: string;
  /** `reload`, `restart at once` (no replica could follow before) or `restart` (once the replicas stream). */
  readonly by: string;
  readonly why: string;
}

type Plan = Pick<
  MigrationReportInputs,
  | "cluster"
  | "host"
  | "parameters"
  | "needed"
  | "others"
  | "maxRate"
  | "method"
  | "newPorts"
  | "voidRules"
>;

/** Settings of the server that will be others, with the reason. */
export function settingChanges(
  { source }: FoundSource,
  { parameters, needed }: Pick<Plan, "parameters" | "needed">,
): SettingChange[] {
  const names = [...new Set([...Object.keys(parameters), ...Object.keys(needed)])].sort();
  return names.flatMap((name): SettingChange[] => {
    const to = needed[name] ?? parameters[name] ?? "";
    const from = source.running[name] ?? source.configured[name];
    if (from === to || (from === undefined && ALWAYS_SO[name] === to)) return [];
    return [
      {
        name,
        from: from ?? "its default",
        to,
        by: Object.hasOwn(needed, name)
          ? "restart at once"
          : source.restarting.includes(name)
            ? "restart"
            : "reload",
        why: WHY[name] ?? "pgherd:cluster.postgresql.parameters says so",
      },
    ];
  });
}

/** Patroni calls its servers by the cluster (patroni/postgresql/config.py, CMDLINE_OPTIONS), and restarts none for it. */
function renamed({ source }: FoundSource, { cluster }: Plan): SettingChange[] {
  const from = source.configured.cluster_name;
  if (!from || from === cluster) return [];
  const why = "Patroni calls servers by the cluster; process titles show it";
  return [{ name: "cluster_name", from, to: cluster, by: "the next restart", why }];
}

/** Defaults of PostgreSQL that Patroni writes out. */
const ALWAYS_SO: { readonly [name: string]: string } = { hot_standby: "on" };

const WHY: { readonly [name: string]: string } = {
  listen_addresses: "replicas and load balancers come from other hosts",
  wal_level: "replicas need the WAL",
  wal_log_hints: "pg_rewind needs it where there are no checksums",
  max_wal_senders: "each replica needs one to stream and two for its first copy",
  max_replication_slots: "each replica needs one",
  hba_file: "Patroni writes it beside postgresql.conf",
  hot_standby: "replicas let clients read",
  synchronous_commit: "pgherd:cluster.replication.mode says that commits wait for a replica",
  archive_mode: "Barman's checks ask for it",
  archive_command: "WAL comes by streaming; this one does nothing",
};

/** How often a restart happens, and why: `none`, or in words. */
export function expectedInterruption(changes: readonly SettingChange[]): string {
  const atOnce = changes.filter(({ by }) => by === "restart at once");
  const later = changes.filter(({ by }) => by === "restart");
  const names = (some: readonly SettingChange[]) => some.map(({ name }) => name).join(", ");
  // One restart brings all that waits for one.
  if (atOnce.length > 0) return `one restart when it is adopted (${names([...atOnce, ...later])})`;
  if (later.length > 0) return `one restart once the replicas stream (${names(later)})`;
  return "none until the clients move: no restart is needed";
}

/** The report, on 80 columns. */
export function renderReport(found: FoundSource, plan: Plan): string {
  const { source, details } = found;
  const changes = settingChanges(found, plan);
  const size = details.databases.reduce((sum, one) => sum + one.size, 0);
  const kept = Object.keys(source.configured).length;
  const follows = plan.method === "standbyCluster";
  const blocks = [
    heading("The server", [
      ["PostgreSQL", details.fullVersion],
      ["Identifier", source.systemIdentifier],
      ["Data", `${source.dataDirectory}, ${sizeOf(size)}`],
      ["Settings in", details.files.join(`,\n${" ".repeat(17)}`) || "no file"],
      [
        "Programs",
        source.binDirectory +
          (details.programReplaced
            ? " (replaced since it was started: a restart starts another one)"
            : ""),
      ],
      ["Started by", source.unit || "hand: no unit is known; look for a line in cron or rc.local"],
      ["Checksums", source.checksums ? "on" : "off"],
      ["wal_log_hints", source.running.wal_log_hints ?? ""],
    ]),
    list("Databases", details.databases.map(describeDatabase)),
    list("Login roles", [details.roles.join(", ")]),
    list(
      follows ? "Settings that the cluster has otherwise" : "Settings that change",
      [...changes, ...renamed(found, plan)].map(({ name, from, to, by, why }) =>
        follows ? `${name}: ${from} → ${to}: ${why}` : `${name}: ${from} → ${to} (${by}): ${why}`,
      ),
      "none",
    ),
    list(follows ? "Copied" : "Kept as they are", [
      `${kept} settings of its files, ${follows ? "into the DCS" : "from now on in the DCS"} and the same on all members`,
      ...(details.altered.length > 0
        ? [`of these only in postgresql.auto.conf: ${details.altered.join(", ")}`]
        : []),
      `${source.hba.length} lines of pg_hba.conf, ${source.ident.length} of pg_ident.conf`,
      ...(follows ? [] : streams(found)),
      ...archiving(found),
    ]),
    ...(follows && streams(found).length > 0 ? [list("Stays with it", streams(found))] : []),
    list("Connected now", details.clients.map(describeClient), "nobody"),
    list("To know", remarks(found, plan), "nothing"),
    list("Firewall", firewallSteps(plan)),
    heading("What will happen", [
      ["Copies to", plan.others.join(", ")],
      ["Each takes", copyTime(size, plan.maxRate)],
      ["Interruption", follows ? OF_CUT_OVER : expectedInterruption(changes)],
      [
        "The way back",
        `pgherd:cluster.migration.rollback: true, ${follows ? "before cutOver" : "from every step"}`,
      ],
    ]),
  ];
  return blocks.join("\n\n");
}

function firewallSteps({ host, method, newPorts, others }: Plan): string[] {
  if (!newPorts) return ["none: pgherd:cluster.firewall is false"];
  if (method === "standbyCluster") {
    return [
      `${host}: none of pgherd's`,
      `${others.join(", ")}: from prepared on, nothing comes in but what pgherd plan --flows lists`,
    ];
  }
  return [
    `from prepared on, ports ${newPorts.join(", ")} of ${host} are for the cluster alone;`,
    "all else comes in there as before",
    "from cutOver on, nothing comes in but what pgherd plan --flows lists",
  ];
}

const OF_CUT_OVER = "none until cutOver; then some seconds, in which it lets nobody in";

/** Who gets the server's WAL by a slot or a stream. */
function streams({ source, details }: FoundSource): string[] {
  return [
    ...source.slots.map(
      ({ name, type, database }) => `${type} slot ${name}${database ? ` of ${database}` : ""}`,
    ),
    ...details.standbys.map(
      ({ name, address }) => `standby ${name} (${address}), which streams from it`,
    ),
  ];
}

function archiving({ source }: FoundSource): string[] {
  const { archive_mode: mode, archive_command: command } = source.configured;
  if (!mode || mode === "off") return [];
  return [
    `archive_command, on whichever member leads: ${command || "(none)"}; what it needs must be on all of them`,
  ];
}

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
function remarks(found: FoundSource, plan: Plan): string[] {
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

function notCarried({ source }: FoundSource, { parameters }: Plan): string[] {
  const left = Object.keys(source.configured).filter(
    (name) => !Object.hasOwn(parameters, name) && !PLACES.test(name),
  );
  return left.length === 0
    ? []
    : [`not carried over, since Patroni sets them itself: ${left.sort().join(", ")}`];
}

/** Folders of sockets that other members have not: clients there would look in vain. */
function ownSockets({ source }: FoundSource, { host, others }: Plan): string[] {
  const own = (source.running.unix_socket_directories ?? "")
    .split(",")
    .map((one) => one.trim())
    .filter((one) => one !== "" && !/^\/(var\/)?run\/postgresql\/?$/.test(one));
  return own.length === 0
    ? []
    : [
        `sockets in ${own.join(", ")} (unix_socket_directories) stay ${host}'s alone: ${others.join(", ")} have theirs in /var/run/postgresql`,
      ];
}

function isOff(value: string | undefined): boolean {
  return value !== undefined && /^(off?|f(a(l(se?)?)?)?|no?|0)$/i.test(value);
}

const LONG_SECONDS = 60;
const LARGE_BYTES = 2 ** 28;

function describeDatabase(database: SourceDatabase): string {
  const { name, size, collation, provider, extensions, closed } = database;
  const parts = [
    sizeOf(size),
    `${collation}${provider === "libc" ? "" : ` (${provider})`}`,
    ...(closed ? ["lets nobody in: not looked into"] : extensions),
  ];
  return `${name}: ${parts.join(", ")}`;
}

function describeClient({ user, database, address, application, sessions }: Client): string {
  const by = application === "" ? "" : `, ${application}`;
  return `${user} in ${database} from ${address || "the host itself"}${by}: ${sessions} session${sessions === 1 ? "" : "s"}`;
}

/** What a disk and a network of today do at least; a limit is what it is. */
const USUAL_RATE = 100 * 2 ** 20;

function copyTime(size: number, maxRate: number): string {
  const rate = maxRate || USUAL_RATE;
  const seconds = Math.ceil(size / rate);
  const time = seconds < 120 ? `${seconds} s` : `${Math.ceil(seconds / 60)} min`;
  return `about ${time} at ${sizeOf(rate)} per second${maxRate ? ", which maxRate allows" : ""}`;
}

function heading(title: string, rows: readonly [string, string][]): string {
  return [title, ...rows.map(([name, value]) => `  ${name.padEnd(14)} ${value}`)].join("\n");
}

function list(title: string, lines: readonly string[], none = ""): string {
  return [title, ...(lines.length > 0 ? lines : [none]).map((line) => `  ${line}`)].join("\n");
}
