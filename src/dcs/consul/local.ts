import type { DcsPlace } from "../dcs";
import { accessFiles } from "../existing";

// What is where on a host with an agent of Consul.

/**
 * Where a host's own agent is asked: `http://127.0.0.1:8500`. It forwards to a server that leads. One of pgherd's by the port of
 * the endpoints, since these are the servers'.
 */
export function localAgent({ endpoints, existing }: DcsPlace): string {
  const [first = ""] = endpoints;
  return existing ? first : `http://127.0.0.1:${new URL(first).port}`;
}

/** With what pgherd's own questions are let in: a file for curl, which root alone reads. */
export function identityOf({ existing }: DcsPlace): string {
  return existing ? accessFiles(existing.access).curl : TOKEN_FILE;
}

/** A header file for curl, which root alone reads: the token with which pgherd asks on a host with an agent. */
export const TOKEN_FILE = "/var/lib/pgherd/consul/token";

/**
 * The same on servers, of the token that may do everything. It is used for the rights of the others, and to see who votes where
 * pgherd's own have been taken away.
 */
export const MANAGEMENT_FILE = "/var/lib/pgherd/consul/management";

/** What that token is called where the others are called by their policies. */
export const MANAGEMENT = "management";

/** What servers know of a token: the body of the request that makes it, and a header file that shows whether it is known. */
export function tokenFiles(name: string): { readonly body: string; readonly header: string } {
  const place = `/var/lib/pgherd/consul/${name}`;
  return { body: `${place}.json`, header: `${place}.header` };
}

/** The header file of a token, that of all rights included. */
export function tokenHeader(name: string): string {
  return name === MANAGEMENT ? MANAGEMENT_FILE : tokenFiles(name).header;
}

/** Whether that is a path of `tokenFiles`, and the body's. */
export function isTokenBody(path: string): boolean {
  return path.startsWith("/var/lib/pgherd/consul/") && path.endsWith(".json");
}
