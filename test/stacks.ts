import { rawStack } from "../src/cli/stack";

const PEM = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";

/** Stacks by name, each with everything that has resources or files of its own in one of them. */
export const STACKS: { readonly [name: string]: () => Record<string, unknown> } = {
  small: () => {
    const { hosts } = rawStack("lab") as { hosts: { readonly [name: string]: object } };
    const { db1, db2, lb1 } = hosts;
    return {
      hosts: { db1, db2, witness: lb1 },
      cluster: {
        name: "demo",
        members: ["db1", "db2"],
        dcs: { kind: "etcd", members: ["db1", "db2", "witness"] },
        firewall: { clients: ["10.89.0.0/24"] },
      },
    };
  },
  consul: () => changed("lab", { dcs: { kind: "consul", members: ["db1", "db2", "backup1"] } }),
  moving: () =>
    changed("lab", {
      dcs: {
        kind: "consul",
        members: ["db1", "db2", "backup1"],
        movedFrom: { kind: "etcd", members: ["db1", "db2", "db3"] },
      },
    }),
  "existing-etcd": () => ({
    ...changed("lab", {
      dcs: {
        kind: "etcd",
        endpoints: ["https://10.89.0.51:2379", "https://10.89.0.52:2379"],
        username: "demo-members",
        ca: PEM,
        certificate: PEM,
        prefix: "/clusters",
      },
    }),
    dcsPassword: "password of another's making",
    dcsKey: "-----BEGIN PRIVATE KEY-----",
  }),
  "existing-consul": () => ({
    ...changed("lab", {
      dcs: { kind: "consul", endpoints: ["http://127.0.0.1:8500"] },
    }),
    dcsToken: "0b4d8a2e-token",
  }),
  standard: () => rawStack("lab"),
  everything: () => {
    const raw = changed("lab", {
      postgresql: {
        version: 16,
        port: 5433,
        parameters: { max_connections: 250, work_mem: "16MB" },
        slots: { feed: { type: "logical", database: "app", plugin: "pgoutput" } },
        packages: ["postgresql-16-cron"],
        users: [
          { name: "app", createdb: true },
          { name: "reports", grants: ["pg_read_all_data"] },
        ],
        databases: [
          { name: "app", owner: "app", extensions: ["pg_trgm"], schemas: [{ name: "sales" }] },
        ],
        pgHba: ["host app reports 10.89.0.0/24 scram-sha-256"],
      },
      members: ["db1", "db2", { host: "db3", tags: { nofailover: true } }],
      replication: { mode: "strict", acceptBlocking: true },
      failover: { profile: "fast", watchdog: "required" },
      backup: { host: "backup1", verify: { schedule: "0 5 * * 0" } },
      firewall: { clients: ["10.89.0.0/24"], admins: ["10.89.0.1"], monitors: ["telegraf"] },
      system: { timeSync: true },
      forks: [{ name: "try", from: "replica", port: 5500, memory: "256MB", disk: "2GB" }],
      hooks: [
        { name: "announce", when: "after", run: "echo changed" },
        { name: "ask", when: "before", on: "db1", run: "true" },
      ],
    });
    const hosts = raw.hosts as { readonly [name: string]: object };
    const db1 = {
      ...hosts.db1,
      user: "deploy",
      hostKey: `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${"A".repeat(43)}`,
    };
    return { ...raw, hosts: { ...hosts, db1 } };
  },
  "without-firewall": () =>
    changed("lab", { firewall: false, replication: { mode: "asynchronous" } }),
  restored: () =>
    changed("lab", {
      postgresql: {
        version: 17,
        bootstrap: { from: "barman", host: "backup1", cluster: "shop", backup: "20261121T020001" },
      },
    }),
  adoption: () => migrated({ until: "cutOver" }),
  "adoption-begun": () => migrated({ until: "replicated" }),
  "adoption-undone": () => migrated({ until: "cutOver", rollback: true }),
  "standby-cluster": () => following({ until: "cutOver" }),
  "standby-cluster-begun": () => following({ until: "balanced" }),
  "standby-cluster-undone": () => following({ until: "balanced", rollback: true }),
};

function changed(stack: string, changes: object): Record<string, unknown> {
  const raw = rawStack(stack);
  return { ...raw, cluster: { ...(raw.cluster as object), ...changes } };
}

function migrated(migration: object): Record<string, unknown> {
  return changed("migration", { migration: { from: "db1", ...migration } });
}

function following(migration: object): Record<string, unknown> {
  const { hosts, cluster } = changed("migration", {
    migration: { method: "standbyCluster", from: "old", ...migration },
  });
  const old = { address: "10.89.0.21" };
  return { hosts: { ...(hosts as object), old }, cluster, migrationPassword: "of-the-old-server" };
}
