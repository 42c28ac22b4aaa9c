import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { createServer, type AddressInfo } from "node:net";
import type { Duplex } from "node:stream";

/**
 * The certificates that a host shows, as `ssh-keyscan -c` prints them; none if it shows none, or OpenSSH's tools are not
 * installed. Nothing of it is to be trusted.
 * @param open opens the way to the host, where it is not reached directly; called several times.
 */
export async function shownCertificates(
  {
    address,
    port,
    connectTimeoutSeconds,
  }: { address: string; port: number; connectTimeoutSeconds: number },
  open?: () => Promise<Duplex>,
): Promise<string[]> {
  const tunnel = open && (await listen(open));
  const [host, at]: [string, number] = tunnel ? ["127.0.0.1", tunnel.port] : [address, port];
  try {
    const printed = await scan(["-c"], host, at, connectTimeoutSeconds);
    return printed.match(/\S+-cert-v01@openssh\.com \S+/g) ?? [];
  } finally {
    tunnel?.close();
  }
}

/** The key that a host shows whom nobody knows yet, Ed25519 if it has one: `ssh-ed25519 AAAA…`. It is for a person to compare. */
export async function shownKey(
  address: string,
  port: number,
  connectTimeoutSeconds: number,
): Promise<string | undefined> {
  const printed = await scan([], address, port, connectTimeoutSeconds);
  const keys = printed.match(/(?:ssh-ed25519|ecdsa-sha2-nistp\d+|ssh-rsa) [A-Za-z0-9+/=]+/g) ?? [];
  return keys.find((key) => key.startsWith("ssh-ed25519")) ?? keys[0];
}

/** As `ssh-keygen -l` prints it: `SHA256:…`. */
export function fingerprint(key: string): string {
  const digest = createHash("sha256").update(Buffer.from(key.split(" ")[1] ?? "", "base64"));
  return `SHA256:${digest.digest("base64").replace(/=+$/, "")}`;
}

/** What ssh-keyscan prints; nothing where it is not installed, or nobody answers. */
function scan(
  options: readonly string[],
  host: string,
  port: number,
  seconds: number,
): Promise<string> {
  const argv = [...options, "-T", String(seconds), "-p", String(port), "--", host];
  return new Promise<string>((resolve) => {
    execFile("ssh-keyscan", argv, { timeout: 5000 * seconds }, (_, stdout) => resolve(stdout));
  });
}

/** A port of this machine that leads to the host. */
async function listen(open: () => Promise<Duplex>): Promise<{ port: number; close(): void }> {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    open().then(
      (stream) => {
        stream.on("error", () => socket.destroy()).on("close", () => socket.destroy());
        socket.on("close", () => stream.destroy());
        socket.pipe(stream).pipe(socket);
      },
      () => socket.destroy(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { port: (server.address() as AddressInfo).port, close: () => void server.close() };
}
