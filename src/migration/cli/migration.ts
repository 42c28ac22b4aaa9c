import { Command } from "commander";
import pc from "picocolors";
import { directClientsProbe, keptSourceProbe, oldClientsProbe } from "../facts/adoption";
import { dcsAt } from "../../dcs/dcs";
import { patroniKey } from "../../dcs/patroni";
import type { Client } from "../facts/source";
import { askEach, demandAll } from "../../operations/ask";
import { askDcs } from "../../operations/dcs";
import type { MigrationPlan, StandbyPlan } from "../../plan/types";
import { openCluster, withStack, type OpenCluster, type StackOptions } from "../../cli/cluster";
import { noMigration, rollbackCommand } from "./rollback";
import { plainTable, printable } from "../../cli/table";

interface StatusOptions extends StackOptions {
  readonly json?: boolean;
}

/** Where a migration stands. */
export interface MigrationStatus {
  /** The host of the server that is migrated. */
  readonly host: string;
  /**
   * `alone`: nothing of it has been changed; `adopted`: Patroni leads it; `followed`: members copy it or stream from it;
   * `replaced`: they have taken its place, and it lets nobody in.
   */
  readonly state: "alone" | "adopted" | "followed" | "replaced";
  /** Who is still connected to the server's own address; nothing where it does not say: it is stopped, or away. */
  readonly direct?: readonly Client[];
  /** Why it does not say. */
  readonly unasked?: string;
}

/** `pgherd migration`: what a person asks and does while a server becomes a cluster. */
export function migrationCommand(): Command {
  return new Command("migration")
    .description("Tells of a server that becomes a cluster, and takes it back.")
    .addCommand(statusCommand())
    .addCommand(rollbackCommand());
}

function statusCommand(): Command {
  return withStack(new Command("status"))
    .description("Shows who still connects to the server itself instead of the entry point.")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      "\nExit code: 0 if nobody is left, 2 if somebody is, 1 if it could not be known.\nWhere the cluster has taken its place, the old server is asked all the same.",
    )
    .action(async ({ json, ...stack }: StatusOptions) => {
      const status = await look(stack);
      process.stdout.write(json ? `${JSON.stringify(status, null, 2)}\n` : renderMigration(status));
      if (status.direct === undefined) process.exitCode = 1;
      else if (status.direct.length > 0) process.exitCode = 2;
    });
}

async function look(options: StackOptions): Promise<MigrationStatus> {
  const cluster = openCluster(options, "migration status");
  try {
    const { migration, standby } = cluster.plan;
    if (migration) return await lookAtMember(cluster, migration);
    if (standby) return await lookAtOutsider(cluster, standby);
    throw noMigration(options.stack);
  } finally {
    cluster.close();
  }
}

async function lookAtMember(
  cluster: OpenCluster,
  { cutOver }: MigrationPlan,
): Promise<MigrationStatus> {
  const { host: name, port, own, roles } = cutOver;
  const host = cluster.host(name);
  const kept = await host.observe(keptSourceProbe);
  const direct = await host.observe(directClientsProbe(port, own, roles));
  return { host: name, state: kept ? "adopted" : "alone", direct };
}

async function lookAtOutsider(
  cluster: OpenCluster,
  { slot }: StandbyPlan,
): Promise<MigrationStatus> {
  const { host, dcs, members } = slot;
  const names = Object.keys(members);
  const { answers, silent } = await askEach(cluster, names, (one) => one.observe(keptSourceProbe));
  const begun = Object.values(answers).some(Boolean);
  if (!begun)
    demandAll(
      silent,
      (away) => `whether members follow ${host} is not known: ${away} cannot be reached`,
    );
  const key = patroniKey(cluster.settings.cluster.name, "config");
  const found =
    begun &&
    (await askDcs(cluster, [...Object.keys(cluster.plan.dcs.members), ...names], (one) =>
      one.observe(dcsAt(dcs).keyProbe(key)),
    ));
  if (found && !("standby_cluster" in (JSON.parse(found.value) as object))) {
    // It may have been opened again, by whoever may do that. It may as well be gone: nobody needs it.
    return cluster
      .host(host)
      .observe(oldClientsProbe(slot))
      .then(
        (direct): MigrationStatus => ({ host, state: "replaced", direct }),
        (error: Error) => ({ host, state: "replaced", unasked: error.message }),
      );
  }
  const direct = await cluster.host(host).observe(oldClientsProbe(slot));
  return { host, state: begun ? "followed" : "alone", direct };
}

const STATES: { readonly [state in MigrationStatus["state"]]: string } = {
  alone: "the server stands alone, untouched",
  adopted: "Patroni leads the server",
  followed: "the members follow the server",
  replaced: "the cluster has taken the server's place",
};

/** The status as a person reads it, on 80 columns. */
export function renderMigration({ host, state, direct, unasked }: MigrationStatus): string {
  const told = STATES[state];
  if (direct === undefined)
    return `${pc.bold(host)}: ${told}. Who is connected to it is not known: ${printable(unasked ?? "")}\n`;
  if (direct.length === 0)
    return `${pc.bold(host)}: ${told}. ${pc.green("No client is left on it.")}\n`;
  const table = plainTable(["User", "Database", "From", "Application", "Sessions"]);
  for (const { user, database, address, application, sessions } of direct) {
    const names = [user, database, address || "the host itself", application].map(printable);
    table.push([...names, sessions]);
  }
  return `${pc.bold(host)}: ${told}. Still connected to it:\n\n${table.toString()}\n`;
}
