import type { Client } from "ssh2";
import { CommandError, ConnectError, PgherdError } from "../errors";

/** What a finished command left. */
export interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface SessionOptions {
  readonly host: string;
  /** What it is for, as a gerund, for messages: `installing packages`. */
  readonly action: string;
  /** Become root by `sudo -n`. */
  readonly sudo: boolean;
  readonly timeoutSeconds: number;
}

/** A command that prints more than this is broken. */
const OUTPUT_LIMIT_BYTES = 16 * 1024 * 1024;

/** Separates what the login shell's start-up files may print from our output. */
const START = "pgherd-output-starts-here";

/**
 * Runs a POSIX shell script as root. The script travels over standard input, so that nothing of it shows in any
 * process list and the login shell does not matter; the shell reads all of it before it runs the first line.
 * @throws CommandError if it does not end in time or the connection breaks; a non-zero exit code is a result.
 * @throws ConnectError if root cannot be had.
 */
export async function runScript(
  client: Client,
  script: string,
  { host, action, sudo, timeoutSeconds }: SessionOptions,
): Promise<Result> {
  const shell = sudo ? "sudo -n -- /bin/sh -s" : "/bin/sh -s";
  const input =
    "{ umask 022; LC_ALL=C.UTF-8; PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n" +
    `export LC_ALL PATH\nprintf '%s\\n' ${START}\n${script}\n} </dev/null\n`;
  const { code, stdout, stderr } = await exchange(client, shell, input, {
    host,
    action,
    timeoutSeconds,
  });
  const start = stdout.indexOf(`${START}\n`);
  if (start >= 0) return { code, stdout: stdout.slice(start + START.length + 1), stderr };
  if (/sudo/.test(stderr)) {
    throw new ConnectError(
      host,
      `expected sudo to work without a password, got: ${stderr.trim().split("\n").at(-1)}`,
      "Let the login user run `sudo -n sh` (NOPASSWD in /etc/sudoers.d), or set pgherd:ssh.sudo to false and log in as root.",
    );
  }
  throw new CommandError(host, action, code, stderr, "Expected the login shell to run /bin/sh.");
}

function exchange(
  client: Client,
  command: string,
  input: string,
  { host, action, timeoutSeconds }: Omit<SessionOptions, "sudo">,
): Promise<Result> {
  return new Promise((resolve, reject) => {
    client.exec(command, (error, channel) => {
      if (error) {
        reject(
          new ConnectError(host, `${action} could not start: ${error.message}.`, undefined, {
            cause: error,
          }),
        );
        return;
      }
      const stdout: Buffer[] = [];
      const stderr: Buffer[] = [];
      let bytes = 0;
      let code: number | null = null;
      const end = (problem: PgherdError) => {
        channel.destroy();
        reject(problem);
      };
      const timer = setTimeout(
        () =>
          end(new PgherdError(`${host}: ${action} did not end within ${timeoutSeconds} seconds.`)),
        timeoutSeconds * 1000,
      );
      const collect = (into: Buffer[]) => (chunk: Buffer) => {
        bytes += chunk.length;
        into.push(chunk);
        if (bytes > OUTPUT_LIMIT_BYTES) {
          end(new PgherdError(`${host}: ${action} printed more than ${OUTPUT_LIMIT_BYTES} bytes.`));
        }
      };
      channel.on("data", collect(stdout));
      channel.stderr.on("data", collect(stderr));
      channel.on("exit", (status: number | null) => (code = status));
      channel.on("close", () => {
        clearTimeout(timer);
        const errors = Buffer.concat(stderr).toString();
        if (code === null)
          reject(new CommandError(host, action, null, errors, "Is the host still up?"));
        else resolve({ code, stdout: Buffer.concat(stdout).toString(), stderr: errors });
      });
      channel.on("error", () => {});
      channel.end(input);
    });
  });
}
