import type { Duplex } from "node:stream";
import { Client, type ConnectConfig, type ServerHostKeyAlgorithm } from "ssh2";
import type { Connection, Hop } from "./command-inputs";
import type { Execution } from "./command-output";

/** Connects to a host, by way of its proxy if it has one. The first client is the host's; all must be ended. */
export async function connect(
  connection: Connection,
  execution: Execution,
): Promise<[Client, ...Client[]]> {
  const { proxy } = connection;
  if (!proxy) return [await retry(connection, execution, () => dial(connection, execution))];
  const through = await retry(proxy, execution, () => dial(proxy, execution)).catch((error) => {
    throw new Error(`proxy ${(error as Error).message}`, { cause: error });
  });
  try {
    const client = await retry(connection, execution, async () =>
      dial(connection, execution, await forward(through, connection)),
    );
    return [client, through];
  } catch (error) {
    through.end();
    throw error;
  }
}

/** The host showed another key than the expected one: not a matter of trying again. */
class HostKeyError extends Error {}

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5000;

async function retry<T>(hop: Hop, execution: Execution, attempt: () => Promise<T>): Promise<T> {
  const { signal, progress } = execution;
  for (let failures = 1, pause = FIRST_PAUSE_MS; ; failures++, pause *= 1.5) {
    signal.throwIfAborted();
    try {
      return await attempt();
    } catch (error) {
      if (error instanceof HostKeyError) throw error;
      const message = `${hop.host}: no SSH connection on port ${hop.port} as ${hop.user}: ${(error as Error).message}`;
      const limit = hop.dialErrorLimit;
      if (limit >= 0 && failures > limit)
        throw new Error(`${message}. Gave up after ${failures} attempts.`, { cause: error });
      progress(`${message}; attempt ${failures}${limit < 0 ? "" : ` of ${limit + 1}`}`);
      await rest(Math.min(pause, LONGEST_PAUSE_MS), signal);
    }
  }
}

function rest(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal.addEventListener("abort", done, { once: true });
  });
}

function dial(hop: Hop, { signal, warn }: Execution, sock?: Duplex): Promise<Client> {
  const client = new Client();
  let refused: HostKeyError | undefined;
  if (!hop.hostKey) warn(`${hop.host}: any host key is accepted, because hostKey is not set.`);
  return new Promise((resolve, reject) => {
    const stop = () => client.destroy();
    signal.addEventListener("abort", stop, { once: true });
    client.on("ready", () => resolve(client));
    client.on("error", (error) => reject(refused ?? error));
    client.on("close", () => {
      signal.removeEventListener("abort", stop);
      reject(refused ?? new Error("the connection was closed"));
    });
    // Answers every question of the server with the password, as the official plugin does.
    client.on("keyboard-interactive", (_name, _instructions, _language, prompts, finish) =>
      finish(prompts.map(() => hop.password ?? "")),
    );
    client.connect({
      ...configOf(hop),
      sock,
      hostVerifier: (key: Buffer) => {
        if (!hop.hostKey || keyOf(hop.hostKey).blob.equals(key)) return true;
        refused = new HostKeyError(
          `${hop.host}: expected the host key ${keyOf(hop.hostKey).type} of hostKey, got another one. Nothing was run.\n` +
            "If the host was reinstalled, put its new key there; else find out who answers at this address.",
        );
        return false;
      },
    });
  });
}

function configOf(hop: Hop): ConnectConfig {
  const agent = hop.agentSocketPath ?? process.env.SSH_AUTH_SOCK;
  return {
    host: hop.host,
    port: hop.port,
    username: hop.user,
    readyTimeout: hop.perDialTimeout * 1000,
    keepaliveInterval: 15_000,
    privateKey: hop.privateKey,
    passphrase: hop.privateKeyPassword,
    password: hop.password,
    tryKeyboard: hop.password !== undefined,
    ...(agent ? { agent } : {}),
    authHandler: [
      ...(hop.privateKey ? (["publickey"] as const) : []),
      ...(hop.password !== undefined ? (["password", "keyboard-interactive"] as const) : []),
      ...(agent ? (["agent"] as const) : []),
    ],
    ...(hop.hostKey ? { algorithms: { serverHostKey: algorithmsOf(hop.hostKey) } } : {}),
  };
}

/** Asks for the kind of key that is expected: a host has several, and would show another one. */
function algorithmsOf(hostKey: string): ServerHostKeyAlgorithm[] {
  const { type } = keyOf(hostKey);
  if (type === "ssh-rsa") return ["rsa-sha2-512", "rsa-sha2-256", "ssh-rsa"];
  return [type as ServerHostKeyAlgorithm];
}

/** Reads a key as it stands in a .pub file or, after the names, in known_hosts. */
function keyOf(hostKey: string): { type: string; blob: Buffer } {
  const words = hostKey.trim().split(/\s+/);
  const at = words.findIndex((word) => word.startsWith("AAAA"));
  const blob = Buffer.from(words[at] ?? "", "base64");
  const type = words[at - 1];
  if (at < 1 || type === undefined)
    throw new Error(
      `connection.hostKey: expected a public key like "ssh-ed25519 AAAA…", got "${hostKey.slice(0, 40)}".`,
    );
  return { type, blob };
}

function forward(proxy: Client, { host, port }: Hop): Promise<Duplex> {
  return new Promise((resolve, reject) =>
    proxy.forwardOut("127.0.0.1", 0, host, port, (error, channel) =>
      error ? reject(error) : resolve(channel),
    ),
  );
}
