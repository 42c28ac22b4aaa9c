import { Argument, Command, Option } from "commander";
import { labNames } from "../lab/status";
import { projectRoot, stacksIn } from "./project";
import { selectedStack } from "./selected-stack";
import type { Settings } from "../config/schema";
import type { StackOptions } from "./cluster";
import { readStack } from "./stack";

const SHELLS = ["bash", "zsh", "fish"] as const;
type Shell = (typeof SHELLS)[number];

/** `pgherd completion`: what a shell loads so that Tab completes verbs, options and names. */
export function completionCommand(): Command {
  return new Command("completion")
    .description("Prints what makes your shell complete verbs, options, members and stacks.")
    .addArgument(new Argument("<shell>").choices(SHELLS))
    .addHelpText("after", COMPLETION_HELP)
    .action((shell: Shell) => void process.stdout.write(SCRIPTS[shell]));
}

/** What the scripts ask at each press of Tab; the last word is the one that is being typed. */
export function completeCommand(program: Command): Command {
  return new Command("__complete")
    .argument("[word...]")
    .allowUnknownOption()
    .helpOption(false)
    .action((words: string[]) => {
      process.stdout.write(
        complete(program, words)
          .map((word) => `${word}\n`)
          .join(""),
      );
    });
}

/** What the last of these words may become. */
export function complete(program: Command, words: readonly string[]): string[] {
  const typed = words.at(-1) ?? "";
  const given: string[] = [];
  const stack: { stack: string; configFile?: string } = {
    stack: quietly(() => [selectedStack()])[0] ?? "lab",
  };
  let command = program;
  let option: Option | undefined;
  for (const word of words.slice(0, -1)) {
    // Bash takes `--to=db1` for three words.
    if (word === "=" && option) continue;
    if (option && !word.startsWith("-")) {
      if (option.long === "--stack") stack.stack = word;
      if (option.long === "--config-file") stack.configFile = word;
      if (!option.variadic) option = undefined;
    } else if (word.startsWith("-")) {
      const [name = "", value] = word.split("=");
      const found = optionOf(command, name);
      if (found?.long === "--stack" && value !== undefined) stack.stack = value;
      option = value === undefined && takesValue(found) ? found : undefined;
    } else {
      const next = command.commands.find((one) => one.name() === word);
      if (next) command = next;
      else given.push(word);
    }
  }
  const [, long, begun = ""] = /^(--[a-z-]+)=(.*)$/s.exec(typed) ?? [];
  if (long !== undefined) {
    const found = optionOf(command, long);
    return (found ? starting(valuesOf(found, stack), begun) : []).map((one) => `${long}=${one}`);
  }
  if (option && !typed.startsWith("-")) {
    const values = starting(valuesOf(option, stack), typed === "=" ? "" : typed);
    // One that may have several values, or none, may also be followed by something else.
    if (option.required && !option.variadic) return values;
    return [...values, ...starting(namesOf(command, given.length, stack), typed)];
  }
  return starting(
    typed.startsWith("-")
      ? [
          ...command.options
            .filter(({ hidden }) => !hidden)
            .flatMap(({ long: name }) => name ?? []),
          "--help",
        ]
      : namesOf(command, given.length, stack),
    typed,
  );
}

function optionOf(command: Command, name: string): Option | undefined {
  return command.options.find(({ short, long }) => [short, long].includes(name));
}

function takesValue(option: Option | undefined): boolean {
  return option !== undefined && (option.required || option.optional);
}

function starting(words: readonly string[], typed: string): string[] {
  return [...new Set(words)].filter((one) => one.startsWith(typed)).sort();
}

function namesOf(command: Command, given: number, stack: StackOptions): string[] {
  return [...visible(command), ...argumentsOf(command, given, stack)];
}

function visible(command: Command): string[] {
  const shown = command.createHelp().visibleCommands(command);
  return shown.map((one) => one.name()).filter((name) => name !== "help");
}

function valuesOf(option: Option, stack: StackOptions): string[] {
  if (option.argChoices) return option.argChoices;
  switch (option.long) {
    case "--stack":
      return stacks();
    case "--to":
    case "--on":
      return members(stack);
    case "--from":
      return ["replica", ...members(stack)];
    case "--files":
      return quietly(() => Object.keys(read(stack).hosts));
    case "--user":
      return quietly(() => read(stack).cluster.postgresql.users.map(({ name }) => name));
    case "--database":
      return quietly(() => read(stack).cluster.postgresql.databases.map(({ name }) => name));
    case "--name":
    case "--lab":
      return quietly(labNames);
    default:
      return [];
  }
}

function argumentsOf(command: Command, index: number, stack: StackOptions): string[] {
  const all = command.registeredArguments;
  const argument = all[index] ?? all.findLast(({ variadic }) => variadic);
  if (argument?.argChoices) return argument.argChoices;
  switch (argument?.name()) {
    case "member":
      return members(stack);
    case "user":
      return quietly(() => read(stack).cluster.postgresql.users.map(({ name }) => name));
    case "host":
      return quietly(() => Object.keys(read(stack).hosts));
    default:
      return [];
  }
}

function stacks(): string[] {
  return quietly(() => stacksIn(projectRoot()));
}

function members(stack: StackOptions): string[] {
  return quietly(() => read(stack).cluster.members.map(({ host }) => host));
}

function read({ stack, configFile }: StackOptions): Settings {
  return readStack(stack, configFile);
}

/** Somebody who is typing must not be met with an error. */
function quietly(find: () => string[]): string[] {
  try {
    return find();
  } catch {
    return [];
  }
}

const SCRIPTS: { readonly [shell in Shell]: string } = {
  bash: `_pgherd() {
  local IFS=$'\\n'
  COMPREPLY=($(pgherd __complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _pgherd pgherd
`,
  // A file of $fpath is itself the function's body at its first call; one that is sourced registers it.
  zsh: `#compdef pgherd
_pgherd() {
  local -a found
  found=("\${(@f)$(pgherd __complete -- "\${words[@]:1:$((CURRENT - 1))}" 2>/dev/null)}")
  compadd -a found
}
if [[ $funcstack[1] = _pgherd ]]; then
  _pgherd "$@"
else
  compdef _pgherd pgherd
fi
`,
  fish: `complete -c pgherd -f -a '(pgherd __complete -- (commandline -opc)[2..-1] (commandline -ct) 2>/dev/null)'
`,
};

const COMPLETION_HELP = `
Examples:
  bash: echo 'source <(pgherd completion bash)' >>~/.bashrc
  zsh:  pgherd completion zsh >"\${fpath[1]}/_pgherd"
  fish: pgherd completion fish >~/.config/fish/completions/pgherd.fish`;
