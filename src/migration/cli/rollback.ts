import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { Command } from "commander";
import type { Settings } from "../../config/schema";
import { PgherdError } from "../../errors";
import type { Intent } from "../../cluster/cluster";
import { keptSourceProbe, runsByItself, serverUnitProbe } from "../facts/adoption";
import { confirm, EXIT_CODES } from "../../cli/ask";
import { openCluster, withStack, type StackOptions } from "../../cli/cluster";
import { pulumi } from "../../cli/pulumi";
import { recorded } from "../../cli/record";
import { readStack, stackFile } from "../../cli/stack";

interface RollbackOptions extends StackOptions {
  readonly yes?: boolean;
}

const SETTING = "pgherd:cluster.migration.rollback";

/** `pgherd migration rollback`: what `rollback: true` in the stack's settings and `pulumi up` do, with a look first. */
export function rollbackCommand(): Command {
  return withStack(new Command("rollback"))
    .description("Goes back: the old server stands alone again, with every row.")
    .option("-y, --yes", "do not ask")
    .addHelpText(
      "after",
      `
Shows the preview and asks; then it writes into the stack's settings
${SETTING}: true, and runs \`pulumi up\`. Run it where
\`pulumi up\` runs, in a lab by \`pgherd lab exec\`.
${EXIT_CODES}`,
    )
    .action(rollBack);
}

/** What is wrong with a stack that is asked for its migration and has none. */
export function noMigration(stack: string): PgherdError {
  return new PgherdError(
    `stack ${stack}: expected pgherd:cluster.migration, got nothing: it is no migration.`,
  );
}

async function rollBack({ stack, configFile, yes = false }: RollbackOptions): Promise<void> {
  const { migration, name } = readStack(stack, configFile).cluster;
  if (!migration) throw noMigration(stack);
  const file = resolve(stackFile(stack, configFile));
  await previewed(stack, file);
  const restart =
    migration.method === "standbyCluster"
      ? undefined
      : await lookForRestart({ stack, configFile }, migration.from);
  await confirm(
    `${name}: back to ${migration.from} alone`,
    { effects: effectsOfRollback(migration, file, restart) },
    yes,
  );
  await recorded(stack, "migration rollback", async () => {
    await setRollback(stack, file);
    await pulumi("up", stack, file, "--yes", "--skip-preview");
  });
}

/** The preview of the way back, by a copy of the settings: whoever says no has them as they were. */
async function previewed(stack: string, file: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "pgherd-rollback-"));
  try {
    const copy = join(folder, "settings.yaml");
    copyFileSync(file, copy);
    await setRollback(stack, copy);
    await pulumi("preview", stack, copy);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function setRollback(stack: string, file: string): Promise<void> {
  return pulumi("config", stack, file, "set", "--path", SETTING, "true");
}

/** What the way back does to PostgreSQL on the old server. */
export type Restart = "none" | "needed" | "unknown";

/** Asks the host; that it cannot be asked keeps nobody from going back. */
async function lookForRestart(options: StackOptions, name: string): Promise<Restart> {
  const cluster = openCluster(options, "migration rollback");
  try {
    const host = cluster.host(name);
    const source = await host.observe(keptSourceProbe);
    if (!source) return "none";
    const unit = await host.observe(serverUnitProbe(source.dataDirectory));
    return runsByItself(source, unit) ? "none" : "needed";
  } catch (error) {
    if (error instanceof PgherdError) return "unknown";
    throw error;
  } finally {
    cluster.close();
  }
}

/** What going back does, in sentences. @param file with the stack's settings. */
export function effectsOfRollback(
  { method, from }: Pick<NonNullable<Settings["cluster"]["migration"]>, "method" | "from">,
  file: string,
  restart: Restart = "unknown",
): Intent["effects"] {
  const again = `${SETTING}: true is written into ${file}; set it to false to begin the migration anew`;
  if (method === "standbyCluster") {
    return [
      `the members stop following ${from}, and are left with their data, out of service; ${from} itself goes on all the time`,
      again,
    ];
  }
  return [
    `${from} stands alone on its data again, with every row, and with the files and the unit that it had before`,
    RESTARTS[restart](from),
    "the other members are left with their data, out of service",
    `HAProxy and the virtual IP end: clients use ${from}'s own address again`,
    again,
  ];
}

/** The way back takes 1.3 s in the benchmark, and 10 s are promised (docs/migration.md, "Measured"). */
const SPAN =
  "its sessions are cut and have to connect again, after one or two seconds as a rule, and ten if it has much to write";

const RESTARTS: { readonly [restart in Restart]: (from: string) => string } = {
  none: (from) => `PostgreSQL on ${from} is not restarted: it runs as before the migration`,
  needed: (from) => `PostgreSQL on ${from} restarts once, since Patroni has started it: ${SPAN}`,
  unknown: (from) =>
    `PostgreSQL on ${from} restarts once if Patroni has started it, which could not be looked at: ${SPAN}`,
};
