import { Command } from "commander";
import { demoCommand } from "./demo";
import { forkCommand } from "./fork";
import { labCommand } from "./lab";
import { planCommand } from "./plan";
import { psqlCommand } from "./psql";
import { statusCommand } from "./status";

const program = new Command("pgherd")
  .description("Builds, migrates and operates highly available PostgreSQL clusters.")
  .showHelpAfterError("(--help shows what can be said)");
for (const command of [
  demoCommand(),
  statusCommand(),
  psqlCommand(),
  forkCommand(),
  planCommand(),
  labCommand(),
]) {
  program.addCommand(command);
}

program.parseAsync().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
