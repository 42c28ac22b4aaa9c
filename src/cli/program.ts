import { Command } from "commander";
import { backupCommand } from "./backup";
import { completeCommand, completionCommand } from "./completion";
import { demoCommand } from "./demo";
import { forkCommand } from "./fork";
import { labCommand } from "./lab";
import { logsCommand } from "./logs";
import { pauseCommand, reinitCommand, reloadCommand, restartCommand } from "./member";
import { migrationCommand } from "./migration";
import { planCommand } from "./plan";
import { probeCommand } from "./probe";
import { psqlCommand } from "./psql";
import { restoreCommand } from "./restore";
import { serveCommand } from "./serve";
import { statusCommand } from "./status";
import { failoverCommand, switchoverCommand } from "./switchover";

/** All verbs, in the order in which `--help` shows them. */
export function makeProgram(): Command {
  const program = new Command("pgherd")
    .description("Builds, migrates and operates highly available PostgreSQL clusters.")
    .showHelpAfterError("(--help shows what can be said)");
  for (const command of [
    demoCommand(),
    statusCommand(),
    switchoverCommand(),
    failoverCommand(),
    restartCommand(),
    reloadCommand(),
    reinitCommand(),
    pauseCommand(true),
    pauseCommand(false),
    probeCommand(),
    serveCommand(),
    logsCommand(),
    psqlCommand(),
    forkCommand(),
    backupCommand(),
    restoreCommand(),
    planCommand(),
    migrationCommand(),
    labCommand(),
    completionCommand(),
  ]) {
    program.addCommand(command);
  }
  return program.addCommand(completeCommand(program), { hidden: true });
}
