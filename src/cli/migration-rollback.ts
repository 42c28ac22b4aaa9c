import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { Command } from "commander";
import type { Settings } from "../config/schema";
import { PgherdError } from "../errors";
import type { Intent } from "../cluster/cluster";
import { confirm, EXIT_CODES } from "./ask";
import { withStack, type StackOptions } from "./cluster";
import { pulumi } from "./pulumi";
import { recorded } from "./record";
import { readStack, stackFile } from "./stack";

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
  await confirm(
    `${name}: back to ${migration.from} alone`,
    { effects: effects(migration, file) },
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

function effects(
  { method, from }: NonNullable<Settings["cluster"]["migration"]>,
  file: string,
): Intent["effects"] {
  const again = `${SETTING}: true is written into ${file}; set it to false to begin the migration anew`;
  if (method === "standbyCluster") {
    return [
      `the members stop following ${from}, and are left with their data, out of service`,
      again,
    ];
  }
  return [
    `${from} stands alone on its data again, with every row, and with the files and the unit that it had before`,
    `once Patroni has led it (from \`adopted\` on), PostgreSQL on ${from} restarts for that: its sessions are cut, and have to connect again`,
    "the other members are left with their data, out of service",
    `HAProxy and the virtual IP end: clients use ${from}'s own address again`,
    again,
  ];
}
