// What a migration will do to a server, as its owner wants to read it before he signs. Pure: facts in, text out.
import type { Client, FoundSource, SourceDatabase } from "../facts/source";
import type { MigrationReportInputs } from "../inputs/survey";
import { remarks } from "./report-remarks";
import { sizeOf } from "../../operations/words";

/** One setting that will be another. */
interface SettingChange {
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
  const isCarried = (name: string) => Object.hasOwn(plan.parameters, name);
  const kept = Object.keys(source.configured).filter(isCarried).length;
  const altered = details.altered.filter(isCarried);
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
      ...(altered.length > 0
        ? [`of these only in postgresql.auto.conf: ${altered.join(", ")}`]
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
