import { execFile } from "node:child_process";
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
  const [host, at] = tunnel ? ["127.0.0.1", tunnel.port] : [address, port];
  const argv = ["-c", "-T", String(connectTimeoutSeconds), "-p", String(at), "--", host];
  try {
    const printed = await new Promise<string>((resolve) => {
      const options = { timeout: 5000 * connectTimeoutSeconds };
      execFile("ssh-keyscan", argv, options, (_, stdout) => resolve(stdout));
    });
    return printed.match(/\S+-cert-v01@openssh\.com \S+/g) ?? [];
  } finally {
    tunnel?.close();
  }
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
