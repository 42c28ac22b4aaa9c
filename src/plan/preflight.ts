import type { Settings } from "../config/schema";
import { bytesOf } from "../config/size";
import { packageOf } from "../distributions/distributions";
import type { PreflightInputs, Requirement } from "../resources/inputs/preflight";
import {
  dcsDirectory,
  dcsToken,
  existingDcs,
  formerDcs,
  kindOfDcs,
  otherDcsRoles,
  votersOf,
  withoutFormer,
} from "../roles/dcs";
import { dataDirectory } from "../roles/patroni";
import { hasRole, roleNamed, ROLES, type RoleName } from "../roles/roles";
import { NAMING_SETTINGS } from "../setting-values";
import { addressOf } from "./addresses";
import { plannedDcs } from "../dcs/planned";
import { prefixOf } from "../dcs/existing";
import { planBootstrap } from "./member-backups";
import { planMove } from "./dcs";
import { versionRules } from "./capabilities";
import { planFlows, planReaches } from "./flows";
import { planHosts } from "./hosts";
import { isSource } from "../migration/steps";
import { ownParameters } from "./parameters";
import { portsOn } from "./ports";

/** What all hosts are checked for before the first change. */
export function planPreflight(settings: Settings): Omit<PreflightInputs, "cluster"> {
  const { cluster } = settings;
  const others = otherDcsRoles(cluster);
  return {
    hosts: Object.fromEntries(
      planHosts(settings).map(({ host, packages }) => [
        host,
        planRequirement(settings, host, packages),
      ]),
    ),
    distribution: cluster.system.distribution,
    versions: versionRules(settings),
    sameVersions: ROLES.filter(({ name }) => !others.includes(name))
      .flatMap(({ sameVersions }) => sameVersions)
      .map((software) => packageOf(software, cluster)),
    vips: (cluster.loadBalancers?.vip ?? []).map((vip) => vip.split("/")[0] as string),
    bootstrap: planBootstrap(cluster),
    trial: planTrial(settings),
    ...planLogins(settings),
    fixed: planFixed(settings),
    ...planLeft(settings),
  };
}

/** What the DCS was that the cluster comes from. */
function planLeft(settings: Settings): Pick<PreflightInputs, "move"> {
  const { cluster } = settings;
  const dcs = formerDcs(cluster);
  const move = planMove(settings);
  if (!dcs || !move) return {};
  const fixed = { "dcs.kind": dcs.kind, ...planFixedDcs({ ...cluster, dcs }) };
  return { move: { ...move, members: cluster.members.map(({ host }) => host), fixed } };
}

/** Who will be let in by SSH, where the stack says so; otherwise there is nothing to look for. */
function planLogins(settings: Settings): Pick<PreflightInputs, "logins"> {
  const { firewall } = settings.cluster;
  if (!firewall || ["0.0.0.0/0", "::/0"].every((all) => firewall.ssh.includes(all))) return {};
  const logins = new Map<string, string[]>();
  for (const { to, purpose, addresses } of planFlows(settings))
    if (purpose === "SSH") logins.set(to, [...(logins.get(to) ?? []), ...addresses]);
  return { logins: Object.fromEntries(logins) };
}

/** What comes from the user alone: pgherd's own settings and lines are known to be good. */
const KEEPS_HUGE_PAGES = /^vm\.nr_(overcommit_)?hugepages/;

function planTrial({ cluster }: Settings): PreflightInputs["trial"] {
  const { version, pgHba, pgHbaFirst, databases } = cluster.postgresql;
  const own = Object.entries(ownParameters(cluster.postgresql));
  const hba = [...pgHbaFirst, ...pgHba];
  const extensions = [...new Set(databases.flatMap((database) => database.extensions))].sort();
  if (own.length + hba.length + extensions.length === 0) return undefined;
  const kernel = Object.keys(cluster.system.sysctl || {});
  return {
    version,
    dataDirectory: dataDirectory(cluster),
    ...(cluster.migration || cluster.postgresql.bootstrap ? { dataComes: true } : {}),
    ...(kernel.some((name) => KEEPS_HUGE_PAGES.test(name)) && { hugePagesCome: true }),
    settings: Object.fromEntries(own.map(([name, value]) => [name, String(value)])),
    hba,
    extensions,
    ...(own.some(([name]) => (NAMING_SETTINGS as readonly string[]).includes(name)) && {
      port: cluster.postgresql.port,
    }),
    ...(extensions.length > 0 && {
      databases: Object.fromEntries(
        databases
          .filter((database) => database.extensions.length > 0)
          .map((database) => [database.name, database.extensions]),
      ),
    }),
  };
}

function planRequirement(
  settings: Settings,
  host: string,
  packages: readonly string[],
): Requirement {
  const { hosts, cluster } = settings;
  const { memory } = cluster.postgresql.resources;
  const has = (role: RoleName) => hasRole(cluster, host, role);
  const member = has("patroni");
  return {
    address: addressOf(hosts, host),
    packages,
    ports: portsOn(settings, host),
    reaches: planReaches(settings, host),
    dataDirectory: member ? dataDirectory(cluster) : undefined,
    dcsDirectory: has(kindOfDcs(cluster.dcs.kind).role) ? dcsDirectory(cluster) : undefined,
    backupDirectory: has("barman") ? cluster.backup?.directory : undefined,
    interface: has("keepalived") ? cluster.loadBalancers?.interface : undefined,
    adoptsPort: isSource(settings, host) ? cluster.postgresql.port : undefined,
    // A migrated database has locales of its own, which the survey looks for.
    locale: (member || has("barman")) && !cluster.migration ? cluster.postgresql.locale : undefined,
    memory: member && memory ? bytesOf(memory) : undefined,
    watchdog: member && cluster.failover.watchdog === "required",
    timeSync: cluster.system.timeSync,
    copyOnWrite: isForked(settings, host) || undefined,
  };
}

/** Whether a fork of the stack may be made on the host. */
function isForked({ cluster }: Settings, host: string): boolean {
  const member = cluster.members.some((one) => one.host === host);
  return cluster.forks.some(({ from }) => (from === "replica" ? member : from === host));
}

/** What PostgreSQL's data and the DCS's were made with, and cannot be changed by writing another file. */
function planFixed(settings: Settings): PreflightInputs["fixed"] {
  const { postgresql, members, dcs } = settings.cluster;
  return {
    "postgresql.version": String(postgresql.version),
    "postgresql.dataDirectory": dataDirectory(settings.cluster),
    "postgresql.dataChecksums": String(postgresql.dataChecksums),
    "postgresql.locale": postgresql.locale,
    "migration.from": settings.cluster.migration?.from ?? "none",
    "migration.method": settings.cluster.migration?.method ?? "adopt",
    members: namesOf(members.map(({ host }) => host)),
    "dcs.kind": dcs.kind,
    ...planFixedDcs({ ...settings.cluster, dcs: withoutFormer(dcs) }),
  };
}

/** What its data was made with, or where the cluster is in one that somebody else runs. */
function planFixedDcs(cluster: Settings["cluster"]): PreflightInputs["fixed"] {
  const existing = existingDcs(cluster);
  if (existing) {
    return {
      "dcs.members": "none",
      "dcs.prefix": prefixOf(existing),
      "dcs.endpoints": [
        plannedDcs(existing.kind).readAtStart(existing),
        existing.ca !== undefined && "with a ca",
        existing.certificate !== undefined && "with a certificate",
      ]
        .filter(Boolean)
        .join(" "),
    };
  }
  const token = dcsToken(cluster);
  return {
    "dcs.members": namesOf(votersOf(cluster)),
    ...Object.fromEntries(
      roleNamed(kindOfDcs(cluster.dcs.kind).role)
        .ports.filter(({ changeable }) => !changeable)
        .map(({ setting = "", number }) => [setting, String(number(cluster))]),
    ),
    ...(token !== undefined && { "dcs.token": token }),
    "dcs.dataDirectory": dcsDirectory(cluster),
  };
}

function namesOf(hosts: readonly string[]): string {
  return [...hosts].sort().join(", ");
}
