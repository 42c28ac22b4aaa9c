import { createHash } from "node:crypto";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { expect, test, vi } from "vitest";
import { rawStack } from "../../src/cli/stack";
import { allRegistered, isSecret, recordResources, type Registered, urnOf } from "../registered";

// What an existing stack holds in its state. A change here is what the next `pulumi up` of such a stack does to its hosts:
// none, after a change that only moves code. Where it is meant:
//   npx vitest run --config test/vitest.config.mts --project unit test/plan/golden-state -u

vi.setConfig({ testTimeout: 120_000 });

const GOLDEN = join(import.meta.dirname, "golden-state");

/** Stacks by name, each with everything that has resources or files of its own in one of them. */
const STACKS: { readonly [name: string]: () => Record<string, unknown> } = {
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
    const db1 = { ...hosts.db1, user: "deploy", hostKey: `ssh-ed25519 ${"A".repeat(68)}` };
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

test.each(Object.keys(STACKS))(
  "an existing stack %s has in its state what the program asks for",
  async (name) => {
    const { registered, outputs } = await run(name, STACKS[name]?.() ?? {});
    const resources = registered
      .map((one) => [urnOf(one), ...linesOf(one)].join("\n"))
      .sort((a, b) => (a < b ? -1 : 1));
    const text = [`outputs ${outputs.join(" ")}`, ...resources].join("\n\n");
    await expect(`${text}\n`).toMatchFileSnapshot(join(GOLDEN, `${name}.txt`));
  },
);

/** The package's own program, as `pulumi up` runs it. */
async function run(name: string, settings: Record<string, unknown>) {
  const registered = await recordResources();
  const config = Object.entries(settings).map(([key, value]) => [
    `pgherd:${key}`,
    typeof value === "string" ? value : JSON.stringify(value),
  ]);
  pulumi.runtime.setAllConfig(Object.fromEntries(config), ["pgherd:migrationPassword"]);
  // A module of its own for each stack; what it imports is loaded once.
  const program = `../../src/index?${name}`;
  const outputs = Object.entries((await import(/* @vite-ignore */ program)) as object);
  await allRegistered();
  return {
    registered,
    outputs: outputs.flatMap(([name, value]) => (value === undefined ? [] : name)).sort(),
  };
}

function linesOf(one: Registered): string[] {
  const { parent, provider, dependencies, deleteBeforeReplace, inputs } = one;
  const short = (urn: string) => urn.split("::")[3];
  return [
    ...(parent ? [`  parent ${short(parent)}`] : []),
    ...(provider ? [`  provider ${short(provider)}`] : []),
    ...(dependencies.length > 0 ? [`  dependsOn ${dependencies.map(short).sort().join(" ")}`] : []),
    ...(deleteBeforeReplace ? ["  deleteBeforeReplace"] : []),
    ...valueLines(" ", abridged(inputs)),
  ];
}

/** A line stays as short as a reader of a difference can take in. */
const LINE = 160;

function valueLines(path: string, value: unknown): string[] {
  const text = JSON.stringify(value);
  if (path !== " " && (text.length <= LINE || typeof value !== "object"))
    return [`${path} ${text}`];
  return Object.entries(value as object)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([key, part]) => valueLines(path === " " ? `  ${key}` : `${path}.${key}`, part));
}

/** Longer texts stand in golden files of their own. */
const LONG = 200;

/** The same with long texts by their digests, and secrets as such. */
function abridged(value: unknown): unknown {
  if (isSecret(value)) return `secret ${digest(JSON.stringify(value.value))}`;
  if (typeof value === "string") return value.length > LONG ? digest(value) : value;
  if (Array.isArray(value)) return value.map(abridged);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, abridged(part)]));
}

function digest(text: string): string {
  return `sha256:${createHash("sha256").update(text).digest("hex").slice(0, 16)}`;
}
