/** Names of the roles that Patroni itself connects with. */
export const ROLES = {
  superuser: "postgres",
  replication: "replicator",
  rewind: "rewinder",
} as const;
