import { Command } from "commander";
import pc from "picocolors";
import { wrapped } from "../../cli/ask";
import { openCluster, withStack, type StackOptions } from "../../cli/cluster";
import { plainTable, printable } from "../../cli/table";
import { STEPS } from "../steps";
import { look, type MigrationStatus } from "./look";
import { noMigration, rollbackCommand } from "./rollback";

interface StatusOptions extends StackOptions {
  readonly json?: boolean;
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
    .description(
      "Shows which steps are done, and who still connects to the server itself instead of the entry point.",
    )
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      "\nExit code: 0 if nobody is left, 2 if somebody is, 1 if it could not be known.\nWhere the cluster has taken its place, the old server is asked all the same.",
    )
    .action(async ({ json, ...stack }: StatusOptions) => {
      const status = await lookAt(stack);
      process.stdout.write(json ? `${JSON.stringify(status, null, 2)}\n` : renderMigration(status));
      if (status.direct === undefined) process.exitCode = 1;
      else if (status.direct.length > 0) process.exitCode = 2;
    });
}

async function lookAt(options: StackOptions): Promise<MigrationStatus> {
  const cluster = openCluster(options, "migration status");
  try {
    const found = await look(cluster);
    if (!found) throw noMigration(options.stack);
    return found;
  } finally {
    cluster.close();
  }
}

/** Of a server whose adoption has not come to its end. */
const BEGUN = "its adoption has begun, and Patroni does not lead the server yet";

const STATES: { readonly [state in MigrationStatus["state"]]: string } = {
  alone: "the server stands alone, untouched",
  adopted: "Patroni leads the server",
  followed: "the members follow the server",
  replaced: "the cluster has taken the server's place",
};

/** The status as a person reads it, on 80 columns. */
export function renderMigration(status: MigrationStatus): string {
  return renderClients(status) + renderSteps(status);
}

function renderSteps({ method, until, state, steps }: MigrationStatus): string {
  if (!steps) {
    const told = state === "alone" ? "it has been taken back" : "`pulumi up` does it";
    return `\nThe stack takes the migration back (\`rollback: true\`): ${told}.\n`;
  }
  const table = plainTable(["Step", "State"]);
  for (const { name, state } of steps) table.push([name, state === "open" ? "" : state]);
  const next = steps.find(({ state }) => state === "next");
  if (!next) {
    const all = steps.every(({ state }) => state === "done");
    const told = all
      ? "All steps are done."
      : "What comes next is not known: `pgherd status` says why.";
    return `\n${table.toString()}\n\n${told}\n`;
  }
  const names = steps.map(({ name }) => name);
  const allowed = names.indexOf(next.name) <= names.indexOf(until);
  const how = allowed
    ? `\`pulumi up\` goes on with ${next.name}, as far as ${until}.`
    : `\`until: ${until}\` ends before ${next.name}: set it to that, then \`pulumi up\`.`;
  const then: readonly { readonly name: string; readonly done: string }[] = STEPS[method];
  const after = then.find(({ name }) => name === next.name)?.done ?? "";
  return `\n${table.toString()}\n\n${wrapped(how)}\n${wrapped(`What has happened then: ${after}`)}\n`;
}

function renderClients({ host, state, direct, unasked, steps }: MigrationStatus): string {
  const unled = steps?.some((step) => step.name === "adopted" && step.state !== "done");
  const told = state === "adopted" && unled ? BEGUN : STATES[state];
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
