import { readFileSync } from "node:fs";
import type { Duplex } from "node:stream";
import { NodeSSH } from "node-ssh";
import type { Client } from "ssh2";
import { ConnectError } from "../errors";
import type { Target } from "./target";

/** Seconds between two keepalives, and how many may stay unanswered: a dead host is noticed after 15 seconds. */
const KEEPALIVE_SECONDS = 5;
const KEEPALIVE_COUNT = 3;

/** An open SSH connection. */
export interface Connection {
  readonly client: Client;
  /** Called once, when the connection has ended for whatever reason. */
  onClose(listener: () => void): void;
  close(): void;
}

/**
 * Opens a connection, through the jump host if there is one. Only a host that shows one of its known keys is talked to.
 * @throws ConnectError
 */
export async function connect(target: Target): Promise<Connection> {
  const jump = target.jump && (await connect(target.jump));
  const ssh = new NodeSSH();
  let shownKey: string | undefined;
  try {
    await ssh.connect({
      host: target.address,
      port: target.port,
      username: target.user,
      sock: jump && (await forward(jump.client, target)),
      ...credentials(target),
      readyTimeout: target.connectTimeoutSeconds * 1000,
      keepaliveInterval: KEEPALIVE_SECONDS * 1000,
      keepaliveCountMax: KEEPALIVE_COUNT,
      // Asking for the types that we know keeps a host from answering with another key that it has as well.
      algorithms: { serverHostKey: keyAlgorithms(target.hostKeys) as never },
      hostVerifier: (key: Buffer) => {
        const encoded = key.toString("base64");
        shownKey = `${keyType(key)} ${encoded}`;
        return target.hostKeys.some((known) => known.split(" ")[1] === encoded);
      },
    });
  } catch (error) {
    jump?.close();
    throw explain(target, error as Error & { level?: string; code?: string }, shownKey);
  }
  const client = ssh.connection as Client;
  // Without a listener a reset connection would end the process; what was running on it fails by itself.
  client.on("error", () => {});
  client.on("close", () => jump?.close());
  return {
    client,
    onClose: (listener) => client.once("close", listener),
    close: () => client.destroy(),
  };
}

function credentials(target: Target): object {
  if (target.identityFile) {
    try {
      return { privateKey: readFileSync(target.identityFile, "utf8") };
    } catch (error) {
      if (!target.agent) {
        throw new ConnectError(
          target.name,
          `expected a private key in ${target.identityFile}, got: ${(error as Error).message}.`,
          "Mend pgherd:ssh.identityFile, or start an SSH agent that holds the key.",
        );
      }
    }
  }
  if (!target.agent) {
    throw new ConnectError(
      target.name,
      "expected a private key or an SSH agent, found neither.",
      "Set pgherd:ssh.identityFile, or start an agent and add the key to it.",
    );
  }
  return { agent: target.agent };
}

function forward(
  client: Client,
  { address, port, connectTimeoutSeconds }: Target,
): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const late = () =>
      reject(new Error(`the jump host opened no way to it in ${connectTimeoutSeconds} seconds`));
    const timer = setTimeout(late, connectTimeoutSeconds * 1000);
    client.forwardOut("127.0.0.1", 0, address, port, (error, stream) => {
      clearTimeout(timer);
      if (error) reject(error);
      else resolve(stream);
    });
  });
}

/** Signature algorithms for keys of these types; an RSA key signs with SHA-2 (RFC 8332). */
function keyAlgorithms(keys: readonly string[]): string[] {
  const types = keys.map((key) => key.split(" ")[0] ?? "");
  return [
    ...new Set(
      types.flatMap((type) => (type === "ssh-rsa" ? ["rsa-sha2-512", "rsa-sha2-256"] : [type])),
    ),
  ];
}

/** A key in wire format starts with the length and the name of its type (RFC 4253, section 6.6). */
function keyType(key: Buffer): string {
  return key.subarray(4, 4 + key.readUInt32BE(0)).toString();
}

function explain(
  target: Target,
  error: Error & { level?: string; code?: string },
  shownKey: string | undefined,
): ConnectError {
  if (error instanceof ConnectError) return error;
  const where = `${target.user}@${target.address} port ${target.port}`;
  const cause = { cause: error };
  if (shownKey && /host denied|verification failed/i.test(error.message)) {
    return new ConnectError(
      target.name,
      `${where} shows another host key than the known one. Nothing was sent to it.\n` +
        `  known: ${target.hostKeys.join("\n         ")}\n  shown: ${shownKey}`,
      "If the host was reinstalled, replace its key in pgherd:hosts or known_hosts; if not, somebody sits in between.",
      cause,
    );
  }
  if (error.level === "client-authentication") {
    return new ConnectError(
      target.name,
      `${where} refused the login: no key of ${target.identityFile ?? "the SSH agent"} is accepted.`,
      `Add the public key to ~${target.user}/.ssh/authorized_keys on the host.`,
      cause,
    );
  }
  if (/no matching host key/i.test(error.message)) {
    const types = target.hostKeys.map((key) => key.split(" ")[0]).join(", ");
    return new ConnectError(
      target.name,
      `${where} has no host key of the known type (${types}). Nothing was sent to it.`,
      "If the host was reinstalled, replace its key in pgherd:hosts or known_hosts.",
      cause,
    );
  }
  return new ConnectError(
    target.name,
    `${where} cannot be reached: ${error.message}.`,
    "Check that the host is up, that sshd listens there, and pgherd:hosts for its address.",
    cause,
  );
}
