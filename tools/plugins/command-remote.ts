import type { Client, ClientChannel } from "ssh2";
import { connect } from "./command-connect";
import { Recorder, type Execution, type Output } from "./command-output";

/** Runs a command on a host, in the login shell of the user. */
export async function runRemotely(execution: Execution): Promise<Output> {
  const { inputs, command, environment, signal } = execution;
  const { connection } = inputs;
  if (!connection) throw new Error("connection: expected how to reach the host, got nothing.");
  const clients = await connect(connection, execution);
  const [client] = clients;
  try {
    const assignments = exportLines(environment);
    const channel = await open(
      client,
      assignments ? withEnvironment(command, assignments) : command,
    );
    const stop = () => {
      channel.signal("TERM");
      setTimeout(() => client.destroy(), GRACE_MS).unref();
    };
    signal.addEventListener("abort", stop, { once: true });
    const recorder = new Recorder(execution);
    channel.on("data", (bytes: Buffer) => recorder.add("stdout", bytes));
    channel.stderr.on("data", (bytes: Buffer) => recorder.add("stderr", bytes));
    channel.on("error", () => {});
    channel.end(assignments + (inputs.stdin ?? ""));
    const { code, cause } = await new Promise<{ code: number | null; cause?: string }>(
      (resolve) => {
        let exit: { code: number | null; cause?: string } = { code: null };
        channel.on("exit", (code: number | null, cause?: string) => (exit = { code, cause }));
        channel.on("close", () => resolve(exit));
        client.on("close", () => resolve(exit));
      },
    );
    signal.removeEventListener("abort", stop);
    const lost = cause ? `was ended by SIG${cause}` : "was cut off: the connection was lost";
    return recorder.finish(connection.host, code, signal.aborted ? "was cancelled" : lost);
  } finally {
    for (const each of clients) each.end();
  }
}

const GRACE_MS = 1000;

function open(client: Client, command: string): Promise<ClientChannel> {
  return new Promise((resolve, reject) =>
    client.exec(command, (error, channel) => (error ? reject(error) : resolve(channel))),
  );
}

/**
 * The command with its environment read from standard input. The official plugin asks sshd to set the variables, which
 * sshd's default configuration refuses; on the command line other users could read them.
 */
function withEnvironment(command: string, assignments: string): string {
  const script = `eval "$(dd bs=1 count=${Buffer.byteLength(assignments)} 2>/dev/null)"; exec "\${SHELL:-/bin/sh}" -c "$1"`;
  return `exec /bin/sh -c ${quote(script)} sh ${quote(command)}`;
}

function exportLines(environment: { readonly [name: string]: string }): string {
  return Object.entries(environment)
    .map(([name, value]) => `export ${name}=${quote(value)}\n`)
    .join("");
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
