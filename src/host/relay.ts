import { randomBytes } from "node:crypto";
import type { Duplex } from "node:stream";
import { CommandError } from "../errors";
import { quote } from "./shell";

/**
 * Carries bytes between its own standard input and output and a socket of the host's. What it is told stands in its
 * arguments: nothing secret.
 */
const RELAY = `import os, socket, sys, threading
path, mark = sys.argv[1:]
peer = socket.socket(socket.AF_UNIX)
try:
    peer.connect(path)
except OSError as error:
    sys.exit(f"{path}: {error.strerror}")
os.write(1, f"\\n{mark}\\n".encode())

def up():
    while data := os.read(0, 65536):
        peer.sendall(data)
    peer.shutdown(socket.SHUT_WR)

threading.Thread(target=up, daemon=True).start()
while data := peer.recv(65536):
    while data:
        data = data[os.write(1, data):]
os._exit(0)
`;

/** What root's shell becomes to lead to a Unix socket as a user who may connect to it: Patroni has Python on its host. */
function relayCommand(user: string, socket: string, mark: string): string {
  const python = ["python3", "-I", "-c", RELAY, socket, mark].map(quote).join(" ");
  return `cd /; exec runuser -u ${quote(user)} -- ${python}\n`;
}

/** A way to a socket. */
export interface Relay {
  readonly stream: Duplex;
  /** Ends it at once, whatever is on its way. */
  close(): void;
}

/**
 * Makes of a root's shell the other end of a Unix socket of its host.
 * @param host for messages.
 * @throws CommandError if nobody listens there
 */
export function relayed(
  channel: Duplex & { readonly stderr: NodeJS.ReadableStream },
  host: string,
  { user, socket }: { readonly user: string; readonly socket: string },
): Promise<Duplex> {
  const mark = `pgherd-${randomBytes(8).toString("hex")}`;
  return new Promise((resolve, reject) => {
    let said = Buffer.alloc(0);
    let complaint = "";
    const hear = (chunk: Buffer) => {
      said = Buffer.concat([said, chunk]);
      const end = said.indexOf(`\n${mark}\n`);
      if (end < 0) return;
      channel.off("data", hear);
      channel.off("close", fail);
      channel.pause();
      // What came in one piece with the mark is the server's first word.
      const rest = said.subarray(end + mark.length + 2);
      if (rest.length > 0) channel.unshift(rest);
      resolve(channel);
    };
    const fail = () =>
      reject(new CommandError(host, "leading to its server", null, complaint || said.toString()));
    // What it breaks by ends it too.
    channel.on("error", () => {});
    channel.stderr.on("data", (chunk: Buffer) => (complaint += chunk.toString()));
    channel.on("data", hear);
    channel.once("close", fail);
    channel.write(relayCommand(user, socket, mark));
  });
}
