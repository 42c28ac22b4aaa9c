import { votersOf } from "../src/roles/dcs";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { readStack } from "../src/cli/stack";
import type { Settings } from "../src/config/schema";
import { PgherdError } from "../src/errors";
import { labUser } from "../src/lab/rights";
import { firewallFiles } from "../src/operations/firewall";
import { planCluster } from "../src/plan/plan";
import { resourceOf, withSecrets } from "../src/plan/secrets";
import type { ClusterPlan, Files } from "../src/plan/types";
import type { SecretName } from "../src/roles/roles";
import { writeStackFile, type Size } from "./sizes";
import { secretIn, type Remembered } from "./stack";

/** What the contenders are given for a cluster of one size. */
export interface Site {
  readonly size: Size;
  /** Holds all the others; only its owner may look inside. */
  readonly folder: string;
  readonly stackFile: string;
  /** The same cluster with another timeout of HAProxy's checks. */
  readonly changedStackFile: string;
  /** For Ansible. */
  readonly inventory: string;
  readonly changedInventory: string;
  /** For pyinfra. */
  readonly description: string;
  readonly changedDescription: string;
  /** Folder for the sockets of the SSH connections that Ansible keeps open. */
  readonly controlSockets: string;
  /** The resources of the engine's floor. */
  readonly floor: string;
}

const CHECK_TIMEOUT = 3;
const CHANGED_CHECK_TIMEOUT = 2.5;

/** A folder with the stack files. What the peers need is written by `writePeers`, once pgherd has made the passwords. */
export function makeSite(size: Size): Site {
  const folder = mkdtempSync(join(tmpdir(), "pgherd-bench-"));
  const site: Site = {
    size,
    folder,
    stackFile: join(folder, "stack.yaml"),
    changedStackFile: join(folder, "changed-stack.yaml"),
    inventory: join(folder, "inventory.json"),
    changedInventory: join(folder, "changed-inventory.json"),
    description: join(folder, "site.json"),
    changedDescription: join(folder, "changed-site.json"),
    controlSockets: join(folder, "cm"),
    floor: join(folder, "floor.json"),
  };
  writeStackFile(size, site.stackFile, CHECK_TIMEOUT);
  writeStackFile(size, site.changedStackFile, CHANGED_CHECK_TIMEOUT);
  giveAway(folder);
  return site;
}

/**
 * Writes the same cluster for the other tools: which host has which part, and every file as pgherd renders it. With the
 * passwords and the dynamic configuration of the stack, so that all tools can take turns on the same hosts.
 */
export function writePeers(site: Site, stack: readonly Remembered[]): void {
  for (const [name, stackFile, inventory, description] of [
    ["files", site.stackFile, site.inventory, site.description],
    ["changed-files", site.changedStackFile, site.changedInventory, site.changedDescription],
  ] as const) {
    const settings = readStack("lab", stackFile);
    const folder = join(site.folder, name);
    const described = describe(settings, stack, folder);
    writeFileSync(description, JSON.stringify(described, null, 2), { mode: 0o600 });
    writeFileSync(inventory, JSON.stringify(inventoryOf(described), null, 2), { mode: 0o600 });
  }
  giveAway(site.folder);
}

type Description = ReturnType<typeof describe>;

function describe(settings: Settings, stack: readonly Remembered[], folder: string) {
  const { hosts, cluster } = settings;
  const plan = planCluster(settings);
  const passwords = passwordsIn(cluster.name, stack);
  const configuration = stack.find(({ type }) => type === "pgherd:index:DynamicConfiguration");
  for (const [host, files] of Object.entries(plannedFiles(plan, passwords.secretOf)))
    for (const [path, { content }] of Object.entries(files)) {
      const file = join(folder, host, path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, content);
    }
  return {
    cluster: cluster.name,
    dcs: votersOf(cluster),
    members: cluster.members.map(({ host }) => host),
    balancers: cluster.loadBalancers?.hosts ?? [],
    etcd_endpoints: Object.values(plan.dcs.members).join(","),
    configuration: configuration?.inputs?.configuration,
    synchronous: plan.patroni.synchronous,
    postgresql_port: plan.patroni.port,
    login_roles: plan.patroni.roles.map((role) => ({ ...role, flags: flags(role) })),
    databases: plan.patroni.databases,
    passwords: {
      ...Object.fromEntries(
        Object.entries(plan.patroni.passwords).map(([role, secret]) => [
          role,
          passwords.secretOf(secret),
        ]),
      ),
      ...passwords.users,
    },
    vips: plan.entryPoint?.vips ?? [],
    ports: plan.entryPoint?.ports,
    stats_port: plan.entryPoint?.statsPort,
    hosts: Object.fromEntries(
      plan.hosts.map(({ host, packages, masked, kernel }) => [
        host,
        { address: hosts[host]?.address, files: join(folder, host), packages, masked, kernel },
      ]),
    ),
  };
}

function flags({ createdb, createrole }: { createdb: boolean; createrole: boolean }): string {
  return `LOGIN,${createdb ? "" : "NO"}CREATEDB,${createrole ? "" : "NO"}CREATEROLE`;
}

type SecretOf = (secret: SecretName) => string;

/** All files that the plan wants, by host. */
export function plannedFiles(plan: ClusterPlan, secretOf: SecretOf): { [host: string]: Files } {
  return Object.fromEntries(
    plan.hosts.map(({ host, files }) => {
      const services = plan.services.filter((service) => service.host === host);
      const firewall = plan.firewalls.find((one) => one.host === host);
      return [
        host,
        {
          ...files,
          ...(firewall ? firewallFiles(firewall.rules) : {}),
          ...Object.assign({}, ...services.map((one) => one.files)),
          ...Object.assign({}, ...services.map((one) => withSecrets(one.secretFiles, secretOf))),
        } as Files,
      ];
    }),
  );
}

/** The passwords that pgherd has made. */
export function passwordsIn(
  cluster: string,
  stack: readonly Remembered[],
): { readonly secretOf: SecretOf; readonly users: { readonly [user: string]: string } } {
  const prefix = `${cluster}-passwords-`;
  const all = Object.fromEntries(
    stack.flatMap(({ urn, outputs }) => {
      const name = urn.split("::").at(-1) ?? "";
      const password = secretIn(outputs?.result);
      return name.startsWith(prefix) && password !== undefined
        ? [[name.slice(prefix.length), String(password)]]
        : [];
    }),
  );
  const get = (name: string): string => {
    const found = all[name];
    if (found === undefined)
      throw new PgherdError(
        `expected the password ${prefix}${name} in the stack, found ${Object.keys(all).join(", ")}.`,
      );
    return found;
  };
  return {
    secretOf: (secret) => get(resourceOf(secret)),
    users: Object.fromEntries(
      Object.entries(all)
        .filter(([name]) => name.startsWith("user-"))
        .map(([name, password]) => [name.slice("user-".length), password]),
    ),
  };
}

function inventoryOf({ hosts, dcs, members, balancers, ...vars }: Description): object {
  const group = (names: readonly string[]) => ({
    hosts: Object.fromEntries(names.map((name) => [name, {}])),
  });
  return {
    all: {
      hosts,
      vars,
      children: { dcs: group(dcs), members: group(members), balancers: group(balancers) },
    },
  };
}

/** Commands in the lab run as the user that it was made for. */
function giveAway(folder: string): void {
  const user = labUser();
  if (user) execFileSync("chown", ["-R", `${user.uid}:${user.gid}`, folder]);
}
