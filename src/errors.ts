/**
 * What went wrong, told the way a user can act on: where, what was expected, what was found, what to do next.
 * The message holds all of it and never a secret; `stack` is cut to the message because the engine prints it.
 */
export class PgherdError extends Error {
  /** @param message where and what, e.g. `db2 (10.89.0.12): expected systemd as process 1, found "docker-init".` */
  constructor(
    message: string,
    /** What to do next, one sentence. */
    readonly hint?: string,
    options?: { cause?: unknown },
  ) {
    super(hint ? `${message}\n${hint}` : message, options);
    this.name = new.target.name;
  }
}

/** What was said on the command line, or asked of the API, makes no sense. Nothing has been asked of a host. */
export class UsageError extends PgherdError {}

/** The stack's configuration is wrong. Holds every problem found, so that all can be mended in one go. */
export class ConfigError extends PgherdError {
  constructor(readonly problems: readonly string[]) {
    super(
      `${problems.length === 1 ? "1 problem" : `${problems.length} problems`} in the stack's configuration:\n` +
        problems.map((problem) => `  - ${problem}`).join("\n"),
    );
  }
}

/** A host could not be reached or did not let us in. It is never taken as "gone". */
export class ConnectError extends PgherdError {
  constructor(
    readonly host: string,
    message: string,
    hint?: string,
    options?: { cause?: unknown },
  ) {
    super(`${host}: ${message}`, hint, options);
  }
}

/** A command ran on a host and failed. */
export class CommandError extends PgherdError {
  constructor(
    readonly host: string,
    /** What the command was for, as a gerund: `installing packages`. Never the command's own text, which may hold secrets. */
    readonly action: string,
    readonly code: number | null,
    readonly stderr: string,
    hint?: string,
  ) {
    const ending = code === null ? "was cut off" : `failed with exit code ${code}`;
    super(`${host}: ${action} ${ending}.${lastLines(stderr)}`, hint);
  }
}

/** What a host answered could not be understood. */
export class FactError extends PgherdError {}

/** A service was set up as asked but does not do its work. */
export class HealthError extends PgherdError {}

const SHOWN_LINES = 12;

function lastLines(text: string): string {
  const lines = text.trim().split("\n").slice(-SHOWN_LINES);
  return lines.join("") === "" ? "" : `\n${lines.map((line) => `  ${line}`).join("\n")}`;
}
