import { Command } from "commander";
import { version } from "../../package.json";
import { backupCommand } from "./backup";
import { dcsCommand } from "./dcs";
import { completeCommand, completionCommand } from "./completion";
import { demoCommand } from "./demo";
import { forkCommand } from "./fork";
import { historyCommand } from "./history";
import { initCommand } from "./init";
import { labCommand } from "./lab";
import { logsCommand } from "./logs";
import { pauseCommand, reinitCommand, reloadCommand, restartCommand } from "./member";
import { migrationCommand } from "../migration/cli/migration";
import { planCommand } from "./plan";
import { probeCommand } from "./probe";
import { psqlCommand } from "./psql";
import { restoreCommand } from "./restore";
import { selectedStack } from "./selected-stack";
import { serveCommand } from "./serve";
import { statusCommand } from "./status";
import { failoverCommand, switchoverCommand } from "./switchover";
import { usersCommand } from "./users";

/** All verbs, in the order in which `--help` shows them. */
export function makeProgram(): Command {
  const program = new Command("pgherd")
    .description("Builds, migrates and operates highly available PostgreSQL clusters.")
    .version(version, "-V, --version", "print the version")
    // What stands behind a verb is the verb's: psql has a --version too.
    .enablePositionalOptions();
  for (const command of [
    demoCommand(),
    initCommand(),
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
    historyCommand(),
    usersCommand(),
    forkCommand(),
    backupCommand(),
    restoreCommand(),
    planCommand(),
    dcsCommand(),
    migrationCommand(),
    labCommand(),
    completionCommand(),
  ]) {
    program.addCommand(command);
  }
  program.addCommand(completeCommand(program), { hidden: true });
  program.hook("preAction", (_, verb) => {
    const takesStack = verb.options.some(({ long }) => long === "--stack");
    if (takesStack && verb.getOptionValue("stack") === undefined) {
      // A lab has one stack, whatever is selected outside of it.
      const ofLab = verb.getOptionValue("lab") !== undefined;
      verb.setOptionValue("stack", ofLab ? "lab" : selectedStack());
    }
  });
  return everywhere(program);
}

/** What holds for every verb, those below others too. */
function everywhere(command: Command): Command {
  command.commands.forEach(everywhere);
  return command
    .showHelpAfterError("(--help shows what can be said)")
    .configureHelp({ helpWidth: Math.min(process.stdout.columns ?? WIDTH, WIDTH) })
    .exitOverride();
}

/** Columns that are on every screen. */
const WIDTH = 80;
