import type { Duplex } from "node:stream";
import { NodeSSH } from "node-ssh";
import type { Client } from "ssh2";
import { ConnectError } from "../errors";
import { certifiedKey } from "./certificates";
import { signatures } from "./host-keys";
import { login, type Login } from "./identities";
import { shownCertificates } from "./key-scan";
import { throughCommand } from "./proxy-command";
import type { Target } from "./target";

/** An open SSH connection. */
export interface Connection {
  readonly client: Client;
  /** How it was opened. */
  readonly target: Target;
  /** Called once, when the connection has ended for whatever reason. */
  onClose(listener: () => void): void;
  close(): void;
}

/**
 * Opens a connection, through the jump host if there is one. Only a host that shows one of its known keys is talked to.
 * @throws ConnectError
 */
export async function connect(target: Target): Promise<Connection> {
  const offers = await login(target.name, target.user, target.identities);
  const jump = target.jump && (await connect(target.jump));
  const hostKeys = await keysOf(target, jump).catch((error: unknown) => {
    jump?.close();
    throw error;
  });
  const command = target.proxyCommand ? throughCommand(target.proxyCommand) : undefined;
  const ssh = new NodeSSH();
  let shownKey: string | undefined;
  try {
    await ssh.connect({
      host: target.address,
      port: target.port,
      username: target.user,
      sock: jump ? await forward(jump.client, target) : (command?.stream as never),
      authHandler: offers.handler,
      readyTimeout: target.connectTimeoutSeconds * 1000,
      keepaliveInterval: target.keepalive.seconds * 1000,
      keepaliveCountMax: target.keepalive.count,
      algorithms: { serverHostKey: signatures(hostKeys) as never },
      hostVerifier: (key: Buffer) => {
        const encoded = key.toString("base64");
        shownKey = `${keyType(key)} ${encoded}`;
        return hostKeys.some((known) => known.split(" ")[1] === encoded);
      },
    });
  } catch (error) {
    jump?.close();
    const said = await command?.end();
    throw explain({ ...target, hostKeys }, error as Problem, { shownKey, offers, said });
  }
  const client = ssh.connection as Client;
  // Without a listener a reset connection would end the process; what was running on it fails by itself.
  client.on("error", () => {});
  client.on("close", () => jump?.close());
  return {
    client,
    target,
    onClose: (listener) => client.once("close", listener),
    close: () => client.destroy(),
  };
}

/** The keys that the host may show; where an authority is known instead, those that it vouches for. */
async function keysOf(target: Target, jump: Connection | undefined): Promise<readonly string[]> {
  const { certification, proxyCommand } = target;
  if (!certification) return target.hostKeys;
  const throughJump = jump && (() => forward(jump.client, target));
  const through = proxyCommand ? async () => throughCommand(proxyCommand).stream : undefined;
  const shown = await shownCertificates(target, throughJump ?? through);
  const keys: string[] = [];
  const problems = new Set(shown.length > 0 ? [] : ["it shows none"]);
  for (const one of shown) {
    try {
      keys.push(certifiedKey(one, certification));
    } catch (error) {
      problems.add((error as Error).message);
    }
  }
  if (keys.length > 0) return keys;
  throw new ConnectError(
    target.name,
    `expected a certificate of an authority in known_hosts from ${target.address} port ${target.port}: ${[...problems].join(", ")}.`,
    "Look at `ssh-keyscan -c` (of OpenSSH's client), or add the host's own key to known_hosts.",
  );
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

/** A key in wire format starts with the length and the name of its type (RFC 4253, section 6.6). */
function keyType(key: Buffer): string {
  return key.subarray(4, 4 + key.readUInt32BE(0)).toString();
}

type Problem = Error & { level?: string; code?: string };

interface Attempt {
  readonly shownKey?: string;
  readonly offers: Login;
  /** What the ProxyCommand said. */
  readonly said?: string;
}

function explain(
  target: Target,
  error: Problem,
  { shownKey, offers, said }: Attempt,
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
      `${where} refused the login: ${offers.refusal()}`,
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
  if (target.proxyCommand) {
    return new ConnectError(
      target.name,
      `${where} cannot be reached through the SSH configuration's ProxyCommand: ${said || error.message}.`,
      "Try it: ssh with the same host and configuration.",
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
