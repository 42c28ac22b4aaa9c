import type { Settings } from "../../config/schema";
import { bytesOf } from "../../config/size";
import { dataDirectory } from "../../roles/patroni";
import { addressOf } from "../../plan/addresses";
import { dcsAddress, firstToAsk, planDcs } from "../../plan/dcs";
import { planEntryPoint } from "../../plan/haproxy";
import { namesOfBackups, packagesOf } from "./adoption";
import { reaches, stepsOf } from "../steps";
import { planPatroni } from "../../plan/patroni";
import { ROLES } from "../../plan/database-roles";
import type { StandbyPlan } from "../../plan/types";

/**
 * How the members follow a server that runs already until they take its place; nothing if they follow none.
 * @param backup whether there are backups, or will be in a later step.
 */
export function planStandby(settings: Settings, backup: boolean): StandbyPlan | undefined {
  const { hosts, cluster } = settings;
  const { migration, postgresql } = cluster;
  if (migration?.method !== "standbyCluster") return undefined;
  const { from: host, superuser } = migration;
  const port = migration.port ?? postgresql.port;
  const { members } = planPatroni(settings);
  const names = Object.keys(members);
  const dcs = planDcs(settings);
  const balancers = planEntryPoint(settings);
  const address = addressOf(hosts, host);
  const standby = {
    host,
    port,
    superuser,
    slot: slotOf(cluster.name),
    members,
    memberPort: postgresql.port,
    dcs: { host: firstToAsk({ dcs, patroni: { members } }), ...dcsAddress(dcs) },
  };
  return {
    stream: {
      address,
      port,
      role: ROLES.replication,
      from: Object.fromEntries(names.map((name) => [name, addressOf(hosts, name)])),
    },
    survey: {
      host,
      port,
      version: postgresql.version,
      superuser,
      others: packagesOf(settings, names),
      dataDirectory: dataDirectory(cluster),
      strict: false,
      steps: stepsOf(settings),
      keptOn: names,
      ...namesOfBackups(backup),
    },
    report: {
      host,
      superuser,
      others: names,
      maxRate: migration.maxRate ? bytesOf(migration.maxRate) : 0,
      method: "standbyCluster",
      keptOn: names,
      newPorts: cluster.firewall === false ? undefined : [],
    },
    beginning: {
      standby_cluster: {
        host: address,
        port,
        primary_slot_name: standby.slot,
        create_replica_methods: ["basebackup"],
      },
    },
    slot: { ...standby, dataDirectory: dataDirectory(cluster), state: "reserved" },
    following: {
      ...standby,
      maximumLag: bytesOf(cluster.rolling.maximumLag),
      promotes: reaches(settings, "cutOver"),
    },
    promotion: {
      ...standby,
      roles: ROLES,
      balancers: { hosts: balancers?.hosts ?? [], statsPort: balancers?.statsPort ?? 0 },
    },
    rollback: migration.rollback ? standby : undefined,
  };
}

/** A slot's name has lower-case letters, digits and underscores only, 63 of them at most. */
function slotOf(cluster: string): string {
  return `pgherd_${cluster.toLowerCase().replace(/[^a-z0-9]/g, "_")}`.slice(0, 63);
}
