import type { ClusterSettings } from "../config/schema";
import { barman } from "./barman";
import { consul } from "./consul";
import { otherDcsRoles } from "./dcs";
import { etcd } from "./etcd";
import { haproxy } from "./haproxy";
import { keepalived } from "./keepalived";
import { patroni } from "./patroni";
import type { Role, RoleName } from "./role";

export type { Party, Placement, Port, Role, RoleName, SecretName } from "./role";

/** All roles, in the order in which people are told of them. */
export const ROLES: readonly Role[] = [patroni, etcd, consul, haproxy, keepalived, barman];

/** All roles, each after those that must be there before it. */
export const ROLES_IN_ORDER: readonly Role[] = [...new Set(ROLES.flatMap(withEarlier))];

/** Units of packages that a cluster runs: `["patroni", "etcd", …]`. Those that are pgherd's own no package restarts. */
export function packagedUnits(cluster: ClusterSettings): string[] {
  const others = otherDcsRoles(cluster);
  return ROLES.filter(
    ({ name, unit }) => !unit.startsWith("pgherd-") && !others.includes(name),
  ).map(({ unit }) => unit.replace(".service", ""));
}

/** The role with this name. */
export function roleNamed(name: RoleName): Role {
  return ROLES.find((role) => role.name === name) as Role;
}

/** The roles that a host has in a cluster, in the order in which they are set up. */
export function rolesOn(cluster: ClusterSettings, host: string): Role[] {
  return ROLES_IN_ORDER.filter((role) => hostsOf(role, cluster).includes(host));
}

/** Whether a host has a role. */
export function hasRole(cluster: ClusterSettings, host: string, name: RoleName): boolean {
  return hostsOf(roleNamed(name), cluster).includes(host);
}

/** The names of a role's hosts. */
export function hostsOf(role: Role, cluster: ClusterSettings): string[] {
  return role.hosts(cluster).map(({ host }) => host);
}

function withEarlier(role: Role): Role[] {
  return [...role.after.map(roleNamed).flatMap(withEarlier), role];
}
