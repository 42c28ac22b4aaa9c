import { replicationMode } from "../../config/replication-modes";
import type { Settings } from "../../config/schema";
import { bytesOf } from "../../config/size";
import { dataDirectory, slotOf } from "../../roles/patroni";
import { addressOf } from "../../plan/addresses";
import { BACKUP_ROLES, BACKUP_SLOT } from "../../plan/backup";
import { dcsAddress, planDcs } from "../../plan/dcs";
import { planFirewalls } from "../../plan/firewall";
import { planHosts } from "../../plan/hosts";
import { stepsOf } from "../steps";
import { planPatroni } from "../../plan/patroni";
import { ROLES } from "../../plan/database-roles";
import { newPorts } from "../../plan/ports";
import type { MigrationPlan } from "../../plan/types";

/**
 * How a server that runs already becomes the first member of the cluster; nothing if none does.
 * @param backup whether there are backups, or will be in a later step.
 */
export function planMigration(settings: Settings, backup: boolean): MigrationPlan | undefined {
  const { cluster } = settings;
  const { migration, postgresql } = cluster;
  if (!migration || migration.method === "standbyCluster") return undefined;
  const host = migration.from;
  const members = planPatroni(settings).members;
  const others = Object.keys(members).filter((name) => name !== host);
  const dcs = dcsAddress(planDcs(settings));
  const { port } = postgresql;
  const { superuser } = migration;
  return {
    survey: {
      host,
      port,
      version: postgresql.version,
      superuser,
      others: packagesOf(settings, others),
      dataDirectory: dataDirectory(cluster),
      strict: replicationMode(cluster).patroni.synchronous_mode_strict,
      steps: stepsOf(settings),
      keptOn: [host],
      ...namesOfBackups(backup),
    },
    report: {
      host,
      superuser,
      others,
      maxRate: migration.maxRate ? bytesOf(migration.maxRate) : 0,
      method: "adopt",
      keptOn: [host],
      newPorts: cluster.firewall === false ? undefined : newPorts(settings, host),
    },
    adoption: {
      host,
      superuser,
      ...dcs,
      roles: ROLES,
      others: Object.fromEntries(others.map((name) => [name, dataDirectory(cluster)])),
      unit: "masked",
    },
    takeover: { host, endpoint: members[host] ?? "", port },
    cutOver: {
      host,
      port,
      roles: Object.values(ROLES),
      own: ownAddresses(settings),
      wait: migration.wait,
    },
    rollback: migration.rollback
      ? {
          ...{ host, superuser, members, port, ...dcs },
          roles: [...Object.values(ROLES), ...(backup ? Object.values(BACKUP_ROLES) : [])],
          rules: planFirewalls(settings).find((one) => one.host === host)?.beginning,
          slots: [...others.map(slotOf), ...(backup ? [BACKUP_SLOT] : [])],
        }
      : undefined,
  };
}

/** What a survey looks for that Barman will use. */
export function namesOfBackups(backup: boolean) {
  return backup ? { backup: { roles: Object.values(BACKUP_ROLES), slot: BACKUP_SLOT } } : {};
}

/** The packages that these members have or get. */
export function packagesOf(settings: Settings, names: readonly string[]) {
  return Object.fromEntries(
    planHosts(settings)
      .filter(({ host }) => names.includes(host))
      .map(({ host, packages }) => [host, packages]),
  );
}

/** Where connections of the cluster itself come from: its members, and clients by way of the load balancers. */
function ownAddresses({ hosts, cluster }: Settings): string[] {
  const balancers = cluster.loadBalancers;
  return [
    ...cluster.members
      .filter(({ host }) => host !== cluster.migration?.from)
      .map(({ host }) => addressOf(hosts, host)),
    ...(balancers?.hosts ?? []).map((name) => addressOf(hosts, name)),
    ...(balancers?.vip ?? []).map((vip) => vip.replace(/\/.*/, "")),
  ];
}
