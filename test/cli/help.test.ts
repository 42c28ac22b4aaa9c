import { type Command } from "commander";
import { expect, test } from "vitest";
import { makeProgram } from "../../src/cli/program";

/** Every verb by its words, those below others too, and hidden ones. */
function verbs(command: Command, words: string): [words: string, command: Command][] {
  const below = command.commands.flatMap((one) => verbs(one, `${words} ${one.name()}`));
  return [[words, command], ...below];
}

function helpOf(command: Command): string {
  let text = "";
  command.configureOutput({ writeOut: (part) => void (text += part) });
  command.outputHelp();
  return text;
}

test.each(verbs(await makeProgram(), "pgherd"))(
  "the help of %s fits 80 columns",
  (_words, command) => {
    expect(
      helpOf(command)
        .split("\n")
        .filter((line) => line.length > 80),
    ).toEqual([]);
  },
);

test.each((await makeProgram()).commands.map((command) => command.name()))(
  "%s is there alone where it is what was typed",
  async (name) => {
    const { commands } = await makeProgram([name, "--help"]);
    // What a shell asks at Tab looks through all of them.
    if (!name.startsWith("__")) expect(commands.map((one) => one.name())).toEqual([name]);
    else expect(commands.length).toBeGreaterThan(20);
  },
);
