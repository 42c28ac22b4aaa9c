import { createInterface } from "node:readline/promises";
import pc from "picocolors";
import { UsageError } from "../errors";
import { Refusal, type Intent } from "../cluster/cluster";

/** Of every verb that changes something; `--help` says so too. */
export const EXIT_CODES = `
Exit codes:
  0  done
  1  failed; the message says what was found and what to do next
  2  refused by a check, you said no, or what was said makes no sense (a member
     that does not exist): nothing was changed`;

/** Of every verb that only looks; `--help` says so too. */
export const LOOK_EXIT_CODES = `
Exit codes:
  0  all of it was found out, and is shown
  1  not all of it: standard error names what could not be asked, and why
  2  what was said makes no sense: nothing was asked`;

/** Tells what could not be found out, after what was. */
export function incomplete(missing: readonly string[]): void {
  for (const one of missing) process.stderr.write(`${pc.yellow(one)}\n`);
  if (missing.length > 0) process.exitCode = 1;
}

/**
 * Shows what will be done and asks whether to go on.
 * @throws Refusal if the answer is no; UsageError if there is nobody to ask.
 */
export async function confirm(
  title: string,
  { effects }: Pick<Intent, "effects">,
  yes: boolean,
): Promise<void> {
  const effectLines = effects.map((effect) => `${wrapped(effect)}\n`).join("");
  process.stderr.write(`${pc.bold(title)}\n${effectLines}`);
  if (yes) return;
  if (!process.stdin.isTTY) {
    throw new UsageError(
      `${title}: expected --yes, because there is no terminal on which to ask.`,
      "Nothing was changed.",
    );
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await terminal.question("Go on? [y/N] ").catch(() => "");
  terminal.close();
  if (!/^y(es)?$/i.test(answer.trim())) throw new Refusal(title, ["You said no."]);
}

/** Tells what is waited for: on a terminal in one line that is written over, else each new thing once. */
export function progressLine(): { say(message: string): void; done(): void } {
  const { isTTY } = process.stderr;
  let last = "";
  return {
    say(message) {
      if (isTTY) process.stderr.write(`\r\u001b[K${pc.dim(message.slice(0, 79))}`);
      // What is only waited for comes again and again, with other seconds.
      else if (message !== last && !/ \(\d+ s\)$/.test(message))
        process.stderr.write(`${message}\n`);
      last = message;
    },
    done() {
      if (isTTY && last !== "") process.stderr.write("\r\u001b[K");
    },
  };
}

const WIDTH = 80;

/** A point of a list on as many lines as it needs, with the words after the first line below its own beginning. */
export function wrapped(text: string): string {
  return folded(text, "  - ", "    ");
}

/** A text on as many lines as it needs. @param first what its first line begins with; @param further each of the others */
export function folded(text: string, first: string, further: string): string {
  const lines: string[] = [];
  let [line, begun] = [first, false];
  for (const word of text.split(" ")) {
    if (begun && line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      [line, begun] = [further, false];
    }
    line += begun ? ` ${word}` : word;
    begun = true;
  }
  return [...lines, line].join("\n");
}
