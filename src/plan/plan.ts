import type { Settings } from "../config/schema";
import { planBackup, planBackupServices, planLogins } from "./backup";
import { planConnection } from "./connection";
import { planDcs, planFormerDcs, planMove } from "./dcs";
import { planDcsServices, planOwnDcs } from "./dcs-services";
import { planExistingDcs } from "./existing-dcs";
import { planFirewalls } from "./firewall";
import { planFlows } from "./flows";
import { planForks } from "./forks";
import { planEntryPoint, planHaproxyServices } from "./haproxy";
import { planHosts } from "./hosts";
import { planKeepalivedServices } from "./keepalived";
import { planMigration } from "../migration/plan/adoption";
import { reaches, soFar, stepsOf } from "../migration/steps";
import { planPatroni, planPatroniServices } from "./patroni";
import { planPreflight } from "./preflight";
import { planSecrets } from "./secrets";
import { planStandby } from "../migration/plan/standby-cluster";
import type { ClusterPlan, MigrationPlan, ServicePlan, StandalonePlan, StandbyPlan } from "./types";

/** Everything that the cluster of these settings consists of. Pure: no host is asked. */
export function planCluster(whole: Settings): ClusterPlan {
  const settings = soFar(whole);
  const backup = whole.cluster.backup !== undefined;
  const migration = planMigration(settings, backup);
  const standby = planStandby(settings, backup);
  const begun = [migration, standby].find((one) => one && !one.rollback);
  let services: ServicePlan[] | undefined;
  return {
    name: settings.cluster.name,
    preflight: { ...planPreflight(settings), ...(begun && { survey: begun.survey }) },
    hosts: planHosts(settings),
    flows: planFlows(settings),
    firewalls: planFirewalls(settings),
    dcs: planDcs(settings),
    former: planFormerDcs(settings),
    move: planMove(settings),
    ownDcs: planOwnDcs(settings),
    existingDcs: planExistingDcs(settings),
    patroni: planPatroni(settings),
    entryPoint: reaches(settings, "balanced") ? planEntryPoint(settings) : undefined,
    logins: planLogins(settings),
    backup: planBackup(settings),
    connection: planConnection(settings),
    migration,
    standby,
    standalone: standaloneOf(migration?.rollback, standby?.rollback),
    steps: stepsOf(settings),
    secrets: planSecrets(settings.cluster),
    // Whoever only looks at a cluster has none of its files rendered.
    get services() {
      return (services ??= planServices(settings));
    },
    forks: planForks(settings),
  };
}

/** The daemons with their files, in the order in which they can start. */
function planServices(settings: Settings): ServicePlan[] {
  return [
    ...planDcsServices(settings),
    ...planPatroniServices(settings),
    ...(reaches(settings, "balanced")
      ? [...planHaproxyServices(settings), ...planKeepalivedServices(settings)]
      : []),
    ...planBackupServices(settings),
  ];
}

/** The old server, by the way back that is asked for. */
function standaloneOf(
  adopted: MigrationPlan["rollback"],
  followed: StandbyPlan["rollback"],
): StandalonePlan | undefined {
  if (adopted) return { host: adopted.host, port: adopted.port, superuser: adopted.superuser };
  return (
    followed && {
      ...{ host: followed.host, port: followed.port, superuser: followed.superuser },
      slot: followed.slot,
    }
  );
}
