import { z } from "zod";
import { backup } from "./blocks/backup";
import { byName, name } from "./blocks/basics";
import { dcs } from "./blocks/dcs";
import { failover } from "./blocks/failover";
import { firewall } from "./blocks/firewall";
import { fork } from "./blocks/fork";
import { hook } from "./blocks/hook";
import { host } from "./blocks/host";
import { loadBalancers } from "./blocks/load-balancers";
import { member } from "./blocks/member";
import { adoptMigration, migration, standbyClusterMigration } from "./blocks/migration";
import { postgresql, recoveryTarget } from "./blocks/postgresql";
import { replication } from "./blocks/replication";
import { rolling } from "./blocks/rolling";
import { ssh } from "./blocks/ssh";
import { system } from "./blocks/system";

/** A cluster as the user writes it, defaults filled in. */
const cluster = z.strictObject({
  name: name.describe("The cluster's name: Patroni's scope, etcd's token."),
  postgresql: postgresql.prefault({}).describe("The database server and what is in it."),
  members: z
    .array(member)
    .min(1)
    .describe("Hosts that hold the data, each by its name or as `{ host, tags }`."),
  removed: z
    .array(name)
    .optional()
    .describe(
      "Hosts of former members that are gone for good: nobody waits for them any more. See docs/members.md.",
    ),
  replication: replication.prefault({}).describe("What a commit waits for."),
  failover: failover
    .prefault({ profile: "default" })
    .describe("How soon, and to whom, the leader's place goes."),
  rolling: rolling.prefault({}).describe("How members restart when a setting needs it."),
  dcs: dcs.describe("Where it is agreed who leads."),
  loadBalancers: loadBalancers.optional().describe("HAProxy and the virtual IP."),
  backup: backup.optional().describe("Backups by Barman, and the WAL between them."),
  firewall: z
    .union([z.literal(false), firewall])
    .prefault({})
    .describe("Who may reach what; everything else is dropped. False: no rules."),
  system: system.prefault({}).describe("What is asked of the hosts themselves."),
  forks: z
    .array(fork)
    .default([])
    .describe("Writable copies of the database, made by copy-on-write; see docs/forks.md."),
  hooks: z.array(hook).default([]).describe("Your own commands around a change."),
  migration: migration.optional().describe("Make a cluster of a server that runs already."),
});

/** Everything a stack says to pgherd: the values of `pgherd:hosts`, `pgherd:ssh` and `pgherd:cluster`. */
export const settings = z.strictObject({
  hosts: byName(name, host).describe("Every host, by its name."),
  ssh: ssh.prefault({}).describe("How hosts are reached."),
  cluster: cluster.describe("The cluster."),
});

export type Settings = z.infer<typeof settings>;

/** The same as the user writes it, who leaves out what has a default. Where a program gives a cluster its name, that too. */
export type GivenSettings = Omit<z.input<typeof settings>, "cluster"> & {
  readonly cluster: Omit<z.input<typeof cluster>, "name"> & { readonly name?: string };
};

export type HostSettings = z.infer<typeof host>;

export type SshSettings = z.infer<typeof ssh>;

export type ClusterSettings = z.infer<typeof cluster>;

type MigrationSettings = z.infer<typeof migration>;

export type AdoptionSettings = z.infer<typeof adoptMigration>;

export type FollowingSettings = z.infer<typeof standbyClusterMigration>;

export type MigrationStep = MigrationSettings["until"];

export type MemberSettings = ClusterSettings["members"][number];

export type FirewallSettings = z.infer<typeof firewall>;

export type BackupSettings = z.infer<typeof backup>;

export type RecoveryTarget = z.infer<typeof recoveryTarget>;
