import type { ClusterSettings, Settings } from "../config/schema";
import type { Source } from "../migration/inputs/source";
import { addressOf, network } from "./addresses";
import { BACKUP_ROLES } from "./backup";
import { throughBalancers } from "../migration/carried/rules";
import { isFollowing } from "../migration/steps";
import { ROLES } from "./database-roles";

/** Roles, other than the superuser, that no client connects as. */
function reserved({ backup }: ClusterSettings): string[] {
  return [ROLES.replication, ROLES.rewind, ...(backup ? Object.values(BACKUP_ROLES) : [])];
}

/** Addresses that connections come from by way of the load balancers. */
export function balancerNetworks({ hosts, cluster }: Settings): string[] {
  // With IPv6 the kernel may send from the virtual address, as long as the balancer holds it.
  const vips = (cluster.loadBalancers?.vip ?? []).map((vip) => network(vip.replace(/\/.*/, "")));
  const own = (cluster.loadBalancers?.hosts ?? []).map((name) => network(addressOf(hosts, name)));
  return [...own, ...vips];
}

/**
 * pg_hba.conf: superusers only by the local socket, Patroni's roles only from members, everyone else with a
 * password. Clients of the load balancers arrive with the balancers' addresses.
 */
export function hostBasedAuthentication(settings: Settings, source?: Source): string[] {
  const { hosts, cluster } = settings;
  const single = (name: string) => network(addressOf(hosts, name));
  const members = cluster.members.map((member) => single(member.host));
  const balancers = balancerNetworks(settings);
  // Where there are no balancers, clients come themselves.
  const direct =
    balancers.length === 0 && cluster.firewall ? (cluster.firewall.clients ?? []).map(network) : [];
  const clients = [...new Set([...members, ...balancers, ...direct])];
  const backup =
    cluster.backup && (balancers.length > 0 ? balancers : [single(cluster.backup.host)]);
  const between = [
    // A replica asks its own server by this way how far it is; Patroni 3.0 does not stand for election otherwise.
    `host replication ${ROLES.replication} 127.0.0.1/32 scram-sha-256`,
    ...members.map((from) => `host replication ${ROLES.replication} ${from} scram-sha-256`),
    ...members.map((from) => `host all ${ROLES.rewind} ${from} scram-sha-256`),
    ...(backup ?? []).map(
      (from) =>
        `host postgres ${BACKUP_ROLES.backup},${BACKUP_ROLES.streaming} ${from} scram-sha-256`,
    ),
    ...(backup ?? []).map(
      (from) => `host replication ${BACKUP_ROLES.streaming} ${from} scram-sha-256`,
    ),
  ];
  // The method md5 lets in those with either kind of password (PostgreSQL, "Password Authentication").
  const admitted = clients.map(
    (from) => `host all all ${from} ${source?.passwords ?? "scram-sha-256"}`,
  );
  if (source) {
    // Whoever gets in now does so afterwards: the old lines come before any that is wider. The superuser whom the server
    // was asked as gets in by one of them, on its own host.
    const letsIn =
      source.roles.includes(ROLES.superuser) &&
      cluster.migration?.superuser === ROLES.superuser &&
      !isFollowing(settings);
    return [
      ...(letsIn ? [] : [`local all ${ROLES.superuser} peer`]),
      ...between,
      `host all ${reserved(cluster).join(",")} all reject`,
      ...cluster.postgresql.pgHbaFirst,
      ...throughBalancers(source, balancers),
      ...admitted,
      ...source.hba,
      ...cluster.postgresql.pgHba,
    ];
  }
  return [
    `local all ${ROLES.superuser} peer`,
    ...between,
    `host all ${[ROLES.superuser, ...reserved(cluster)].join(",")} all reject`,
    ...cluster.postgresql.pgHbaFirst,
    "local all all scram-sha-256",
    "host all all 127.0.0.1/32 scram-sha-256",
    ...admitted,
    ...cluster.postgresql.pgHba,
  ];
}
