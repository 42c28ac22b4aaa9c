import { spawn } from "node:child_process";
import { Duplex } from "node:stream";

/** A way to a host that a command of this machine opens. */
interface Way {
  readonly stream: Duplex;
  /** Ends the command and tells what it has said of what went wrong. */
  end(): Promise<string>;
}

/**
 * The way to a host through the standard input and output of a command of the user's own SSH configuration, run by the
 * user's shell, as OpenSSH does (ssh_config(5), ProxyCommand). It ends with the stream.
 */
export function throughCommand(command: string): Way {
  const child = spawn(process.env.SHELL || "/bin/sh", ["-c", `exec ${command}`], {
    stdio: ["pipe", "pipe", "pipe"],
  });
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => (said = (said + chunk.toString()).slice(-SHOWN)));
  const stream = Duplex.from({ readable: child.stdout, writable: child.stdin });
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  child.on("error", (error) => stream.destroy(error));
  stream.on("error", () => {});
  stream.on("close", () => child.kill());
  return {
    stream,
    async end() {
      // One that ends by itself has its last word.
      await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, LAST_WORD_MS))]);
      stream.destroy();
      return said.trim();
    },
  };
}

const SHOWN = 1000;
const LAST_WORD_MS = 500;
