import { spawn } from "node:child_process";
import { connect } from "node:net";
import type { AddressInfo } from "node:net";
import { Server, utils, type Connection } from "ssh2";
import { keyPair } from "../keys";

/** An SSH server in this process that runs what it is told, and refuses to set variables, as sshd does. */
export interface SshServer {
  readonly port: number;
  /** As in known_hosts: `ssh-ed25519 AAAA…`. */
  readonly hostKey: string;
  /** What was run, in order. */
  readonly commands: string[];
  /** How many logins there were. */
  readonly logins: string[];
  /** Ends all connections; new ones are let in. */
  cut(): void;
  close(): Promise<void>;
}

export interface SshServerOptions {
  /** The user's login shell. @default "/bin/sh" */
  readonly shell?: string;
  /** Whether a command is ever begun. @default true */
  readonly begins?: boolean;
  /** How many sessions a connection may have at once, as sshd's MaxSessions. @default as many as are wanted */
  readonly maxSessions?: number;
  /** What becomes of text that a command is told over its standard input. @default it stays as it is */
  readonly told?: (text: string) => string;
}

/** @param user may log in with this password or this public key. */
export async function startSshServer(
  user: {
    name: string;
    password?: string;
    publicKey?: string;
  },
  {
    shell = "/bin/sh",
    begins = true,
    maxSessions = Infinity,
    told = (text) => text,
  }: SshServerOptions = {},
): Promise<SshServer> {
  const { private: key, public: hostKey } = keyPair();
  const commands: string[] = [];
  const logins: string[] = [];
  const connections = new Set<Connection>();
  const server = new Server({ hostKeys: [key] }, (connection) => {
    connections.add(connection);
    connection.on("close", () => connections.delete(connection)).on("error", () => {});
    connection.on("authentication", (attempt) => {
      if (attempt.username !== user.name) return attempt.reject();
      if (attempt.method === "password" && attempt.password === user.password)
        return attempt.accept();
      if (attempt.method === "publickey" && user.publicKey) {
        const known = utils.parseKey(user.publicKey);
        if (!(known instanceof Error) && attempt.key.data.equals(known.getPublicSSH())) {
          return attempt.accept();
        }
      }
      attempt.reject(["password", "publickey"]);
    });
    connection.on("ready", () => logins.push(user.name));
    connection.on("tcpip", (accept, _reject, { destIP, destPort }) => {
      const socket = connect(destPort, destIP);
      const channel = accept();
      socket.pipe(channel).pipe(socket);
      socket.on("error", () => channel.end());
    });
    let sessions = 0;
    connection.on("session", (accept, reject) => {
      if (sessions >= maxSessions) return reject();
      sessions += 1;
      const session = accept();
      session.on("close", () => (sessions -= 1));
      session.on("env", (_accept, reject) => reject?.());
      session.on("exec", (accept, _reject, { command }) => {
        commands.push(command);
        if (!begins) return;
        const channel = accept();
        const child = spawn(shell, ["-c", command], {
          env: { PATH: process.env.PATH, SHELL: shell },
        });
        channel.on("data", (chunk: Buffer) => child.stdin.write(told(chunk.toString())));
        channel.on("end", () => child.stdin.end());
        child.stdin.on("error", () => {});
        child.stdout.pipe(channel, { end: false });
        child.stderr.pipe(channel.stderr, { end: false });
        session.on("signal", (_accept, _reject, { name }) =>
          child.kill(`SIG${name}` as NodeJS.Signals),
        );
        child.on("close", (code, signal) => {
          if (signal) channel.exit(signal.replace("SIG", ""), false, "");
          else channel.exit(code ?? 0);
          channel.end();
        });
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    hostKey: hostKey.trim(),
    commands,
    logins,
    cut: () => connections.forEach((connection) => void connection.end()),
    close: () =>
      new Promise((resolve) => {
        for (const connection of connections) connection.end();
        server.close(() => resolve());
      }),
  };
}
