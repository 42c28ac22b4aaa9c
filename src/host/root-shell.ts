import { randomBytes } from "node:crypto";
import type { Client, ClientChannel } from "ssh2";
import { CommandError, PgherdError } from "../errors";
import { openRootSession, type RootAccess } from "./root-session";
import { strict } from "./shell";

/** What a finished script left. */
export interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** How a script is run. */
interface ScriptOptions {
  /** What it is for, as a gerund, for messages: `installing packages`. */
  readonly action: string;
  readonly timeoutSeconds: number;
}

/** A script that prints more than this is broken. */
const OUTPUT_LIMIT_BYTES = 16 * 1024 * 1024;

/**
 * A shell of root on a host that runs one script after the other. It is kept, since a session of its own and becoming
 * root take longer than most of what is asked.
 */
export class RootShell {
  private readonly mark = `pgherd-${randomBytes(8).toString("hex")}`;
  private exit?: { readonly code: number | null };
  private current?: Script;

  private constructor(
    private readonly host: string,
    private readonly channel: ClientChannel,
  ) {
    channel.on("data", (chunk: Buffer) => this.current?.collect("stdout", chunk));
    channel.stderr.on("data", (chunk: Buffer) => this.current?.collect("stderr", chunk));
    channel.on("exit", (code: number | null) => (this.exit = { code }));
    channel.on("close", () => {
      this.exit ??= { code: null };
      this.current?.broken(this.exit.code);
    });
    channel.on("error", () => {});
  }

  /** @throws ConnectError if root cannot be had, or not in time. */
  static async open(client: Client, host: string, access: RootAccess): Promise<RootShell> {
    return new RootShell(host, await openRootSession(client, host, access));
  }

  /** Whether it can run another script. */
  get usable(): boolean {
    return !this.exit && !this.current;
  }

  /**
   * Runs a POSIX shell script in a shell of its own, which ends at the first command that fails. It travels over standard
   * input, so that nothing of it shows in any process list; the shell reads all of it before it runs the first line.
   * @throws CommandError if the connection breaks; a non-zero exit code is a result.
   * @throws PgherdError if it does not end in time.
   */
  run(script: string, { action, timeoutSeconds }: ScriptOptions): Promise<Result> {
    const mark = this.mark;
    return new Promise<Result>((resolve, reject) => {
      const end = () => {
        clearTimeout(timer);
        this.current = undefined;
      };
      const abandon = (problem: PgherdError) => {
        end();
        this.close();
        reject(problem);
      };
      const timer = setTimeout(
        () =>
          abandon(
            new PgherdError(
              `${this.host}: ${action} did not end within ${timeoutSeconds} seconds.`,
            ),
          ),
        timeoutSeconds * 1000,
      );
      this.current = new Script(mark, {
        ended: (result) => {
          end();
          resolve(result);
        },
        broken: (code, stderr) => {
          end();
          reject(new CommandError(this.host, action, code, stderr, NEXT));
        },
        tooLong: () =>
          abandon(
            new PgherdError(
              `${this.host}: ${action} printed more than ${OUTPUT_LIMIT_BYTES} bytes.`,
            ),
          ),
      });
      if (this.exit) this.current.broken(this.exit.code);
      else {
        this.channel.write(
          `{ ${strict(script)} </dev/null; printf '\\n%s %s\\n' ${mark} $?; printf '\\n%s\\n' ${mark} >&2; }\n`,
        );
      }
    });
  }

  /** Ends the session. A script that runs goes on until it wants to print something. */
  close(): void {
    this.exit ??= { code: null };
    this.channel.destroy();
  }
}

const NEXT = "Is the host still up?";

interface Outcome {
  ended(result: Result): void;
  broken(code: number | null, stderr: string): void;
  tooLong(): void;
}

/** What a script has printed so far, and whether it has ended: both streams end in the shell's mark. */
class Script {
  private readonly printed = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
  private readonly tail = { stdout: "", stderr: "" };
  private readonly marked = { stdout: false, stderr: false };
  private bytes = 0;

  constructor(
    private readonly mark: string,
    private readonly outcome: Outcome,
  ) {}

  collect(stream: "stdout" | "stderr", chunk: Buffer): void {
    this.printed[stream].push(chunk);
    this.bytes += chunk.length;
    if (this.bytes > OUTPUT_LIMIT_BYTES) {
      this.outcome.tooLong();
      return;
    }
    const end = stream === "stdout" ? `\\n${this.mark} \\d+\\n` : `\\n${this.mark}\\n`;
    const recent = this.tail[stream] + chunk.toString("latin1");
    if (new RegExp(end).test(recent)) this.marked[stream] = true;
    this.tail[stream] = recent.slice(-MARK_BYTES);
    if (this.marked.stdout && this.marked.stderr) this.finish();
  }

  /** The shell has ended before the script did. */
  broken(code: number | null): void {
    this.outcome.broken(code, Buffer.concat(this.printed.stderr).toString());
  }

  private finish(): void {
    const stdout = Buffer.concat(this.printed.stdout).toString();
    const stderr = Buffer.concat(this.printed.stderr).toString();
    const [end, code] = new RegExp(`\\n${this.mark} (\\d+)\\n`).exec(stdout) ?? [];
    this.outcome.ended({
      code: Number(code),
      stdout: stdout.slice(0, stdout.lastIndexOf(end ?? "")),
      stderr: stderr.slice(0, stderr.lastIndexOf(`\n${this.mark}\n`)),
    });
  }
}

/** More than the mark and an exit code take. */
const MARK_BYTES = 64;
