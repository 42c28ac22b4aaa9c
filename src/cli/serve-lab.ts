import { chownSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { createConnection, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { newToken, readToken } from "../api/token";
import { PgherdError } from "../errors";
import { labExecAttached } from "../lab/exec";
import { labUser, rerunAsRoot } from "../lab/rights";
import { packageRoot } from "../package-root";
import { addressOf, announce, defaultAuditLog, type ServeOptions } from "./serve-options";

/**
 * Serves a lab's cluster: the server runs in the lab's network, where the hosts are, and listens on a Unix socket,
 * which no network separates; here connections from a browser are handed through.
 */
export async function serveLab(lab: string, options: ServeOptions): Promise<void> {
  const code = await rerunAsRoot();
  if (code !== undefined) {
    process.exitCode = code;
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), "pgherd-"));
  const user = labUser();
  if (user) chownSync(folder, user.uid, user.gid);
  const socket = join(folder, "serve");
  const token = options.tokenFile ? readToken(options.tokenFile) : newToken();
  const auditLog = options.auditLog ?? defaultAuditLog(options.stack, lab);
  const listener = await openListener(addressOf(options.listen), socket);
  let ended = false;
  try {
    // In the environment, which others cannot read as they can a command line.
    process.env.PGHERD_SERVE_TOKEN = token;
    const serving = labExecAttached(lab, [
      ...[process.execPath, join(packageRoot(), "bin/pgherd"), "serve"],
      ...["--lab", lab, "--socket", socket, "--stack", options.stack, "--audit-log", auditLog],
      ...(options.configFile ? ["--config-file", options.configFile] : []),
      ...(options.tlsCert ? ["--tls-cert", options.tlsCert] : []),
      ...(options.tlsKey ? ["--tls-key", options.tlsKey] : []),
      ...(options.allowedHost ?? []).flatMap((name) => ["--allowed-host", name]),
    ]).finally(() => (ended = true));
    // Told below, once it is clear whether it has begun at all.
    serving.catch(() => undefined);
    while (!ended && !existsSync(socket)) await sleep(100);
    if (!ended) announce(options, options.tokenFile === undefined ? token : undefined, auditLog);
    process.exitCode = await serving;
  } finally {
    listener.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Listens here and passes every connection on to the socket. */
function openListener(
  { host, port }: { host: string; port: number },
  socket: string,
): Promise<Server> {
  const listener = createServer((outside) => {
    const inside = createConnection(socket);
    outside.on("error", () => inside.destroy()).pipe(inside);
    inside.on("error", () => outside.destroy()).pipe(outside);
  });
  return new Promise((resolve, reject) => {
    listener.once("error", (error) =>
      reject(
        new PgherdError(
          `--listen: ${host}:${port} cannot be listened on: ${error.message}.`,
          "Say another one, e.g. --listen 127.0.0.1:8433.",
        ),
      ),
    );
    listener.listen(port, host, () => resolve(listener));
  });
}
