import { Command } from "commander";
import pc from "picocolors";
import { PgherdError } from "../errors";
import { directClientsProbe, keptSourceProbe } from "../facts/adoption";
import type { Client } from "../facts/source";
import { planMigration } from "../plan/migration";
import { openCluster, withStack, type StackOptions } from "./cluster";
import { plainTable } from "./table";

interface StatusOptions extends StackOptions {
  readonly json?: boolean;
}

/** Where a migration stands. */
export interface MigrationStatus {
  readonly host: string;
  /** Whether Patroni has taken the server over. */
  readonly adopted: boolean;
  /** Who is still connected to the server's own address. */
  readonly direct: readonly Client[];
}

/** `pgherd migration`: what a person asks while a server becomes a cluster. */
export function migrationCommand(): Command {
  return new Command("migration")
    .description("Tells of a server that becomes the first member of a cluster.")
    .addCommand(statusCommand());
}

function statusCommand(): Command {
  return withStack(new Command("status"))
    .description("Shows who still connects to the server itself instead of the entry point.")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      "\nExit code: 0 if nobody is left, 2 if somebody is, 1 if it could not be found out.",
    )
    .action(async ({ json, ...stack }: StatusOptions) => {
      const status = await look(stack);
      process.stdout.write(json ? `${JSON.stringify(status, null, 2)}\n` : renderMigration(status));
      if (status.direct.length > 0) process.exitCode = 2;
    });
}

async function look(options: StackOptions): Promise<MigrationStatus> {
  const cluster = openCluster(options, "migration status");
  try {
    const plan = planMigration(cluster.settings);
    if (!plan) {
      throw new PgherdError(
        `stack ${options.stack}: expected pgherd:cluster.migration, got nothing: it is no migration.`,
      );
    }
    const { host: name, port, own, roles } = plan.cutOver;
    const host = cluster.host(name);
    const adopted = (await host.observe(keptSourceProbe)) !== undefined;
    return {
      host: name,
      adopted,
      direct: await host.observe(directClientsProbe(port, own, roles)),
    };
  } finally {
    cluster.close();
  }
}

/** The status as a person reads it, on 80 columns. */
export function renderMigration({ host, adopted, direct }: MigrationStatus): string {
  const state = adopted ? "Patroni leads the server" : "the server stands alone, untouched";
  if (direct.length === 0)
    return `${pc.bold(host)}: ${state}. ${pc.green("No client is left on it.")}\n`;
  const table = plainTable(["User", "Database", "From", "Application", "Sessions"]);
  for (const { user, database, address, application, sessions } of direct) {
    table.push([user, database, address || "the host itself", application, sessions]);
  }
  return `${pc.bold(host)}: ${state}. Still connected to it:\n\n${table.toString()}\n`;
}
