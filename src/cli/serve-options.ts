import { createHash } from "node:crypto";
import { readFileSync, realpathSync } from "node:fs";
import { isIP } from "node:net";
import { homedir } from "node:os";
import { join } from "node:path";
import { createSecureContext } from "node:tls";
import pc from "picocolors";
import { UsageError } from "../errors";
import { labPaths } from "../lab/paths";
import { projectRoot } from "./project";
import type { StackOptions } from "./cluster";

export interface ServeOptions extends StackOptions {
  readonly listen: string;
  readonly socket?: string;
  readonly lab?: string;
  readonly tokenFile?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly plain?: boolean;
  readonly allowedHost?: readonly string[];
  readonly auditLog?: string;
  readonly probe?: boolean;
}

/** Says where the page is. @param token shown once, in the address, where it goes to no server's log. */
export function announce(options: ServeOptions, token: string | undefined, auditLog: string): void {
  const scheme = options.tlsCert ? "https" : "http";
  const { host, port } = addressOf(options.listen);
  const url = `${scheme}://${isIP(host) === 6 ? `[${host}]` : host}:${port}/`;
  process.stdout.write(
    [
      `Page     ${pc.bold(token === undefined ? url : `${url}#token=${token}`)}`,
      `API      ${url}api/v1/ (described in ${url}api/openapi.json)`,
      ...(token === undefined ? [] : [`Token    ${token}   (shown this once)`]),
      `Audit    ${auditLog}`,
      "Ctrl-C ends it.",
      "",
    ].join("\n"),
  );
}

/**
 * Where calls of the API are recorded unless `--audit-log` says otherwise.
 * @param lab as for `recordFile`.
 */
export function defaultAuditLog(stack: string, lab?: string): string {
  return recordFile(stack, "log", lab);
}

/** What is recorded of a stack on this machine: calls of the API, or verbs. */
type Recorded = "log" | "verbs";

/**
 * The file in which it is recorded, beside what else pgherd keeps of its own. It is named after the stack and its project's
 * directory: another project's stack of that name is another cluster. In a lab it lies in the lab's folder, and goes with it:
 * all labs of a clone are deployed from the same stack.
 * @param lab the lab that the stack is deployed in. Default: the one that this command runs in, if it runs in one.
 */
export function recordFile(stack: string, what: Recorded, lab = process.env.PGHERD_LAB): string {
  const project = createHash("sha256").update(realpathSync(projectRoot())).digest("hex");
  const name = `${stack}.${project.slice(0, 12)}.${what}`;
  return lab ? join(labPaths(lab).dir, "audit", name) : inState(name);
}

/** All files in which it may stand, the oldest first. */
export function recordFiles(stack: string, what: Recorded): string[] {
  const former = process.env.PGHERD_LAB ? [] : [formerRecordFile(stack, what)];
  return [...former, recordFile(stack, what)];
}

/** Where it was recorded before, for all projects' stacks of that name together. */
export function formerRecordFile(stack: string, what: Recorded): string {
  return inState(`${stack}.${what}`);
}

function inState(name: string): string {
  const home = process.env.XDG_STATE_HOME || join(homedir(), ".local/state");
  return join(home, "pgherd/audit", name);
}

/** Where calls that were not let in are counted. */
export function refusedLog(auditLog: string): string {
  return `${auditLog}.refused`;
}

/** `127.0.0.1:8432` or `[::1]:8432`. @throws PgherdError */
export function addressOf(listen: string): { host: string; port: number } {
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(listen) ?? [];
  const host = bracketed ?? plain ?? "";
  if ((isIP(host) === 0 && host !== "localhost") || Number(port) > 65535) {
    throw new UsageError(
      `--listen: expected an address and a port such as 127.0.0.1:8432, got "${listen}".`,
    );
  }
  return { host, port: Number(port) };
}

/** @throws PgherdError if the token would travel for all to read, or the certificate is none */
export function checkListening({ listen, tlsCert, tlsKey, plain }: ServeOptions): void {
  if ((tlsCert === undefined) !== (tlsKey === undefined)) {
    throw new UsageError("--tls-cert and --tls-key: expected both or neither.");
  }
  if (tlsCert !== undefined && tlsKey !== undefined) checkCertificate(tlsCert, tlsKey);
  const { host } = addressOf(listen);
  const loopback = host === "localhost" || host === "::1" || host.startsWith("127.");
  if (loopback || tlsCert || plain) return;
  throw new UsageError(
    `--listen: expected an address of this machine alone, or TLS, got ${listen}: the token would travel for all to read.`,
    "Give --tls-cert and --tls-key, or say --plain if something else encrypts the way.",
  );
}

function checkCertificate(cert: string, key: string): void {
  try {
    createSecureContext({ cert: readFileSync(cert), key: readFileSync(key) });
  } catch (error) {
    throw new UsageError(
      `--tls-cert ${cert}, --tls-key ${key}: expected a certificate and its key in PEM, got: ${(error as Error).message}.`,
      undefined,
      { cause: error },
    );
  }
}
