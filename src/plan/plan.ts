import type { Settings } from "../config/schema";
import { planEtcd, planEtcdServices } from "./etcd";
import { planEntryPoint, planHaproxyServices } from "./haproxy";
import { planHosts, planRequirements } from "./hosts";
import { planKeepalivedServices } from "./keepalived";
import { planPatroni, planPatroniServices } from "./patroni";
import type { ClusterPlan } from "./types";

/** Everything that the cluster of these settings consists of. Pure: no host is asked. */
export function planCluster(settings: Settings): ClusterPlan {
  return {
    name: settings.cluster.name,
    requirements: planRequirements(settings),
    hosts: planHosts(settings),
    etcd: planEtcd(settings),
    patroni: planPatroni(settings),
    entryPoint: planEntryPoint(settings),
    services: [
      ...planEtcdServices(settings),
      ...planPatroniServices(settings),
      ...planHaproxyServices(settings),
      ...planKeepalivedServices(settings),
    ],
  };
}
