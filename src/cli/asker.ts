import { createInterface } from "node:readline/promises";
import pc from "picocolors";
import { Refusal } from "../cluster/cluster";
import { PgherdError } from "../errors";

/** Asks on the terminal. */
export interface Asker {
  question(text: string): Promise<string>;
  /** @throws Refusal if the answer is no. @param usual what an empty answer means. */
  consent(text: string, usual?: boolean): Promise<void>;
  close(): void;
}

/** @param yes nobody is to be asked: what is usual is agreed to. */
export function asker(yes: boolean): Asker {
  const terminal = process.stdin.isTTY
    ? createInterface({ input: process.stdin, output: process.stderr })
    : undefined;
  const nobody = (text: string) =>
    new PgherdError(
      `${text.split("\n")[0]}: expected a terminal on which to ask, or the answer as an option.`,
      "pgherd init --help names them. Nothing was written.",
    );
  return {
    async question(text) {
      if (!terminal) throw nobody(text);
      return terminal.question(text);
    },
    async consent(text, usual = true) {
      if (yes && usual) return;
      if (!terminal || yes) throw nobody(text);
      const answer = (await terminal.question(`${text} ${usual ? "[Y/n]" : "[y/N]"} `)).trim();
      if (answer === "" ? usual : /^y(es)?$/i.test(answer)) return;
      throw new Refusal("init", ["You said no. Nothing was written."]);
    },
    close: () => terminal?.close(),
  };
}

/** Tells a person what goes on, beside what the command prints. */
export function say(text: string): void {
  process.stderr.write(`${pc.dim(text)}\n`);
}
