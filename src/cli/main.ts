import { Command } from "commander";
import { labCommand } from "./lab";

const program = new Command("pgherd")
  .description("Builds, migrates and operates highly available PostgreSQL clusters.")
  .showHelpAfterError("(--help shows what can be said)");
program.addCommand(labCommand());

program.parseAsync().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
