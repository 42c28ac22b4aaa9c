import type { CommandInputs } from "./command-inputs";

/** What a command printed, without the line break at its end. */
export interface Output {
  readonly stdout: string;
  readonly stderr: string;
}

/** One run of a command. */
export interface Execution {
  readonly step: "create" | "update" | "delete";
  readonly command: string;
  readonly inputs: CommandInputs;
  readonly environment: { readonly [name: string]: string };
  /** Ends the command. */
  readonly signal: AbortSignal;
  /** Shows a line that the command printed. */
  progress(line: string): void;
  /** Shows a warning that stays. */
  warn(text: string): void;
}

/** Collects what a command prints and shows it line by line, as `logging` says. */
export class Recorder {
  readonly #printed = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
  readonly #both: Buffer[] = [];
  readonly #partial = { stdout: "", stderr: "" };

  constructor(readonly execution: Execution) {}

  add(stream: keyof Output, bytes: Buffer): void {
    this.#printed[stream].push(bytes);
    this.#both.push(bytes);
    const { logging = "stdoutAndStderr" } = this.execution.inputs;
    if (logging !== stream && logging !== "stdoutAndStderr") return;
    const lines = (this.#partial[stream] + bytes.toString()).split("\n");
    this.#partial[stream] = lines.pop() ?? "";
    for (const line of lines) this.execution.progress(line);
  }

  /**
   * @param code the exit code, or `null` where a signal or a lost connection ended the command.
   * @throws if the command failed: with what it printed, never with its text, which may hold secrets.
   */
  finish(where: string, code: number | null, ending: string): Output {
    for (const line of Object.values(this.#partial)) if (line) this.execution.progress(line);
    if (code !== 0) {
      const what = code === null ? ending : `failed with exit code ${code}`;
      throw new Error(
        `${where}: the ${this.execution.step} command ${what}.${lastLines(text(this.#both))}`,
      );
    }
    const { stdout, stderr } = this.#printed;
    return { stdout: text(stdout).replace(/\n$/, ""), stderr: text(stderr).replace(/\n$/, "") };
  }
}

const SHOWN_LINES = 50;

function text(parts: readonly Buffer[]): string {
  return Buffer.concat(parts).toString();
}

function lastLines(printed: string): string {
  const lines = printed.trim().split("\n").slice(-SHOWN_LINES);
  return lines.join("") === "" ? " It printed nothing." : `\n${lines.join("\n")}`;
}
