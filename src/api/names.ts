import type { X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import { hostname } from "node:os";

/** Whether this server is called so. */
export type IsOwnName = (name: string) => boolean;

/**
 * The names that a caller may mean this server by. Somebody who owns a name can have it lead here, for pages of his that
 * then pass for this server's own in a browser (DNS rebinding); an address leads nowhere else.
 * @param given further names, by the user.
 * @param certificate the server's: a browser has checked the name against it.
 */
export function ownNames(given: readonly string[], certificate?: X509Certificate): IsOwnName {
  const names = ["localhost", hostname(), ...given].map((name) => name.toLowerCase());
  return (name) =>
    isIP(name) !== 0 || names.includes(name) || certificate?.checkHost(name) !== undefined;
}

/** The host's part of `localhost:8432`, `[::1]:8432`, in small letters; `undefined` if it is nothing of the kind. */
export function nameIn(authority: string): string | undefined {
  const found = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::\d{1,5})?$/i.exec(authority);
  return (found?.[1] ?? found?.[2])?.toLowerCase();
}

/**
 * Whether a browser says that a page of another server makes the call. Programs that are no browsers say nothing of it.
 * @param headers `host` is a name of this server.
 * @see https://www.w3.org/TR/fetch-metadata/
 */
export function isOfAnotherPage(headers: {
  readonly [name: string]: string | string[] | undefined;
}): boolean {
  const { origin, host } = headers;
  const site = headers["sec-fetch-site"];
  if (site !== undefined && site !== "same-origin" && site !== "none") return true;
  if (origin === undefined) return false;
  const found = /^(https?:)\/\/(.+)$/.exec(String(origin));
  if (!found) return true;
  const [, scheme, from] = found;
  // What stands between may have taken TLS off, which leaves host and port as the browser has them.
  const [theirs, ours] = [`${scheme}//${from}`, `${scheme}//${String(host)}`];
  if (!URL.canParse(theirs) || !URL.canParse(ours)) return true;
  return new URL(theirs).host !== new URL(ours).host;
}
