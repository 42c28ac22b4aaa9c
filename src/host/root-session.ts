import { randomBytes } from "node:crypto";
import type { Client, ClientChannel } from "ssh2";
import { ConnectError } from "../errors";

/** The host opens no further session on this connection (sshd_config(5), MaxSessions). */
export class SessionRefused extends ConnectError {}

/** How root is had on a host. */
export interface RootAccess {
  /** Become root by `sudo -n`. */
  readonly sudo: boolean;
  /** How long the host may take to give us root's shell: the stack's `connectTimeout`. */
  readonly seconds: number;
}

/**
 * A shell of root on a host that reads scripts from its standard input. It has proved that it reads and that it answers:
 * what is written to it from then on is run by /bin/sh, whatever the login shell is and has printed before.
 * @throws ConnectError if there is none in time. Nothing was run then.
 */
export function openRootSession(
  client: Client,
  host: string,
  { sudo, seconds }: RootAccess,
): Promise<ClientChannel> {
  const command = sudo ? "sudo -n -- /bin/sh -s" : "/bin/sh -s";
  const mark = `pgherd-${randomBytes(8).toString("hex")}`;
  const said = { stdout: "", stderr: "" };
  return new Promise((resolve, reject) => {
    let channel: ClientChannel | undefined;
    let code: number | null = null;
    let over = false;
    const end = () => {
      over = true;
      clearTimeout(timer);
      channel?.removeAllListeners().on("error", () => {});
      channel?.stderr.removeAllListeners();
    };
    const fail = (what: string, hint?: string, cause?: unknown) => {
      if (over) return;
      end();
      channel?.destroy();
      reject(new ConnectError(host, what, hint, { cause }));
    };
    const refused = (cause: Error) => {
      if (over) return;
      end();
      const what = `expected a session, got "${cause.message}".`;
      reject(
        new SessionRefused(host, what, "Look at MaxSessions in sshd_config: 1 is enough.", {
          cause,
        }),
      );
    };
    const late = () => {
      const got = said.stderr.trim() || said.stdout.trim() || "no answer";
      fail(
        `expected \`${command}\` to answer within ${seconds} seconds, got: ${got}.`,
        "Log in to the host and try it: the login shell must run it, and sudo must not ask or wait for anything. It waits for DNS " +
          "where the host does not know its own name (its line in /etc/hosts). pgherd:ssh.connectTimeout is how long pgherd waits.",
      );
    };
    const timer = setTimeout(late, seconds * 1000);
    const collect = (stream: "stdout" | "stderr") => (chunk: Buffer) => {
      said[stream] = (said[stream] + chunk.toString()).slice(-BANNER_CHARACTERS);
      if (!over && channel && Object.values(said).every((text) => text.includes(`\n${mark}\n`))) {
        end();
        resolve(channel);
      }
    };
    try {
      client.exec(command, (error, opened) => {
        if (error) return refused(error);
        opened.on("error", () => {});
        if (over) return opened.destroy();
        channel = opened;
        opened.on("data", collect("stdout"));
        opened.stderr.on("data", collect("stderr"));
        opened.on("exit", (status: number | null) => (code = status));
        opened.on("close", () => fail(...explain(command, code, said)));
        opened.write(`${PREPARE}printf '\\n%s\\n' ${mark}; printf '\\n%s\\n' ${mark} >&2\n`);
      });
    } catch (error) {
      fail(`a session could not be opened: ${(error as Error).message}.`, undefined, error);
    }
  });
}

/** Of what a login shell prints by itself, enough for a message. */
const BANNER_CHARACTERS = 4096;

const PREPARE =
  "umask 022; LC_ALL=C.UTF-8; PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin; export LC_ALL PATH\n";

/** What is wrong with a session that has ended before it answered, and what to do. */
function explain(
  command: string,
  code: number | null,
  said: { readonly stdout: string; readonly stderr: string },
): [what: string, hint: string] {
  if (code === null)
    return ["the connection has ended before root's shell answered.", "Is the host still up?"];
  const last = (said.stderr.trim() || said.stdout.trim() || "nothing").split("\n").at(-1) ?? "";
  if (/sudo.*\b(tty|TTY)\b/.test(said.stderr)) {
    return [
      `expected sudo to work without a terminal, got: ${last}`,
      "Take requiretty away for the login user: `Defaults:USER !requiretty` in /etc/sudoers.d.",
    ];
  }
  if (/sudo/.test(said.stderr)) {
    return [
      `expected sudo to work without a password, got: ${last}`,
      "Let the login user run `sudo -n sh` (NOPASSWD in /etc/sudoers.d), or set pgherd:ssh.sudo to false and log in as root.",
    ];
  }
  return [
    `expected the login shell to run \`${command}\`, which ended with code ${code}: ${last.replace(/\.$/, "")}.`,
    "Give the login user a shell that runs commands.",
  ];
}
