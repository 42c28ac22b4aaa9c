import { readdirSync } from "node:fs";
import { join } from "node:path";
import { Argument, Command, Option } from "commander";
import { labNames } from "../lab/status";
import { packageRoot } from "../package-root";
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
  let command = program;
  let option: Option | undefined;
  let stack = "lab";
  const given: string[] = [];
  for (const word of words.slice(0, -1)) {
    if (option) {
      if (option.long === "--stack") stack = word;
      option = undefined;
    } else if (word.startsWith("-")) {
      const found = command.options.find(({ short, long }) => [short, long].includes(word));
      option = found?.required ? found : undefined;
    } else {
      const next = command.commands.find((one) => one.name() === word);
      if (next) command = next;
      else given.push(word);
    }
  }
  const candidates = option
    ? valuesOf(option, stack)
    : typed.startsWith("-")
      ? [...command.options.flatMap(({ long }) => long ?? []), "--help"]
      : [...visible(command), ...argumentsOf(command, given.length, stack)];
  return candidates.filter((one) => one.startsWith(typed)).sort();
}

function visible(command: Command): string[] {
  const shown = command.createHelp().visibleCommands(command);
  return shown.map((one) => one.name()).filter((name) => name !== "help");
}

function valuesOf(option: Option, stack: string): string[] {
  if (option.argChoices) return option.argChoices;
  switch (option.long) {
    case "--stack":
      return stacks();
    case "--to":
      return members(stack);
    case "--name":
      return quietly(labNames);
    default:
      return [];
  }
}

function argumentsOf(command: Command, index: number, stack: string): string[] {
  const all = command.registeredArguments;
  const argument = all[index] ?? all.findLast(({ variadic }) => variadic);
  if (argument?.argChoices) return argument.argChoices;
  if (argument?.name() === "member") return members(stack);
  return argument?.name() === "host" ? hosts(stack) : [];
}

function stacks(): string[] {
  const files = quietly(() => readdirSync(join(packageRoot(), "stacks")));
  return files.flatMap((file) => /^Pulumi\.(.+)\.yaml$/.exec(file)?.[1] ?? []);
}

function members(stack: string): string[] {
  return quietly(() => readStack(stack).cluster.members.map(({ host }) => host));
}

function hosts(stack: string): string[] {
  return quietly(() => Object.keys(readStack(stack).hosts));
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
  zsh: `#compdef pgherd
_pgherd() {
  local -a found
  found=("\${(@f)$(pgherd __complete -- "\${words[@]:1:$((CURRENT - 1))}" 2>/dev/null)}")
  compadd -a found
}
compdef _pgherd pgherd
`,
  fish: `complete -c pgherd -f -a '(pgherd __complete -- (commandline -opc)[2..-1] (commandline -ct) 2>/dev/null)'
`,
};

const COMPLETION_HELP = `
Examples:
  bash: echo 'source <(pgherd completion bash)' >>~/.bashrc
  zsh:  pgherd completion zsh >"\${fpath[1]}/_pgherd"
  fish: pgherd completion fish >~/.config/fish/completions/pgherd.fish`;
