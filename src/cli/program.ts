import { Command } from "commander";
import { version } from "../../package.json";

/** All verbs, in the order in which `--help` shows them. What a verb needs is loaded with it, and nothing else. */
const VERBS: { readonly [name: string]: () => Promise<Command> } = {
  demo: async () => (await import("./demo")).demoCommand(),
  init: async () => (await import("./init")).initCommand(),
  status: async () => (await import("./status")).statusCommand(),
  switchover: async () => (await import("./switchover")).switchoverCommand(),
  failover: async () => (await import("./switchover")).failoverCommand(),
  restart: async () => (await import("./member")).restartCommand(),
  reload: async () => (await import("./member")).reloadCommand(),
  reinit: async () => (await import("./member")).reinitCommand(),
  pause: async () => (await import("./member")).pauseCommand(true),
  resume: async () => (await import("./member")).pauseCommand(false),
  probe: async () => (await import("./probe")).probeCommand(),
  serve: async () => (await import("./serve")).serveCommand(),
  logs: async () => (await import("./logs")).logsCommand(),
  psql: async () => (await import("./psql")).psqlCommand(),
  history: async () => (await import("./history")).historyCommand(),
  users: async () => (await import("./users")).usersCommand(),
  fork: async () => (await import("./fork")).forkCommand(),
  backup: async () => (await import("./backup")).backupCommand(),
  restore: async () => (await import("./restore")).restoreCommand(),
  plan: async () => (await import("./plan")).planCommand(),
  dcs: async () => (await import("./dcs")).dcsCommand(),
  migration: async () => (await import("../migration/cli/migration")).migrationCommand(),
  lab: async () => (await import("./lab")).labCommand(),
  completion: async () => (await import("./completion")).completionCommand(),
};

/**
 * The command line.
 * @param words what was typed: where they begin with a verb, that one is there alone. @default all verbs
 */
export async function makeProgram([verb = ""]: readonly string[] = []): Promise<Command> {
  const program = new Command("pgherd")
    .description("Builds, migrates and operates highly available PostgreSQL clusters.")
    .version(version, "-V, --version", "print the version")
    // What stands behind a verb is the verb's: psql has a --version too.
    .enablePositionalOptions();
  const asked = Object.hasOwn(VERBS, verb) ? [VERBS[verb]] : Object.values(VERBS);
  for (const load of asked) if (load) program.addCommand(await load());
  if (asked.length > 1) {
    const complete = (await import("./completion")).completeCommand(program);
    program.addCommand(complete, { hidden: true });
  }
  program.hook("preAction", async (_, verb) => {
    const takesStack = verb.options.some(({ long }) => long === "--stack");
    if (takesStack && verb.getOptionValue("stack") === undefined) {
      // A lab has one stack, whatever is selected outside of it.
      const ofLab = verb.getOptionValue("lab") !== undefined;
      verb.setOptionValue(
        "stack",
        ofLab ? "lab" : (await import("./selected-stack")).selectedStack(),
      );
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
