// What is where on a host with an agent of Consul.

/** Where a host's own agent is asked, by the port of the endpoints: `http://127.0.0.1:8500`. It forwards to a server that leads. */
export function localAgent(endpoints: readonly string[]): string {
  const [first = ""] = endpoints;
  return `http://127.0.0.1:${new URL(first).port}`;
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
