import { Command } from "commander";
import pc from "picocolors";
import { PgherdError } from "../errors";
import { directClientsProbe, keptSourceProbe } from "../facts/adoption";
import type { Client } from "../facts/source";
import { Host } from "../host/host";
import { resolveTarget } from "../host/target";
import { planMigration } from "../plan/migration";
import { readStack } from "./stack";
import { plainTable } from "./table";

interface StatusOptions {
  readonly stack: string;
  readonly configFile?: string;
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
  return new Command("status")
    .description("Shows who still connects to the server itself instead of the entry point.")
    .option("-s, --stack <stack>", "whose settings in stacks/ to use", "lab")
    .option("--config-file <file>", "the stack's settings, where they are not in stacks/")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      "\nExit code: 0 if nobody is left, 2 if somebody is, 1 if it could not be found out.",
    )
    .action(async ({ stack, configFile, json }: StatusOptions) => {
      const status = await look(stack, configFile);
      process.stdout.write(json ? `${JSON.stringify(status, null, 2)}\n` : renderMigration(status));
      if (status.direct.length > 0) process.exitCode = 2;
    });
}

async function look(stack: string, configFile?: string): Promise<MigrationStatus> {
  const settings = readStack(stack, configFile);
  const plan = planMigration(settings);
  if (!plan) {
    throw new PgherdError(
      `stack ${stack}: expected pgherd:cluster.migration, got nothing: it is no migration.`,
    );
  }
  const { host: name, port, own, roles } = plan.cutOver;
  const host = new Host(name, () => resolveTarget(settings, name), "migration status");
  try {
    const adopted = (await host.observe(keptSourceProbe)) !== undefined;
    return {
      host: name,
      adopted,
      direct: await host.observe(directClientsProbe(port, own, roles)),
    };
  } finally {
    host.close();
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
