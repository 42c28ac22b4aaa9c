import { isIP } from "node:net";
import type { Settings } from "../config/schema";

/** The address of a host, which the settings' rules have made sure of. */
export function addressOf(hosts: Settings["hosts"], name: string): string {
  const host = hosts[name];
  if (!host) throw new Error(`no host is called ${name}`);
  return host.address;
}

/** A network with its prefix length; a single address is a network of one: `10.0.0.5` is `10.0.0.5/32`. */
export function network(address: string): string {
  return address.includes("/") ? address : `${address}/${isIP(address) === 6 ? 128 : 32}`;
}

/** An address as PostgreSQL writes it, and everybody who keeps to RFC 5952: `FD00:89:0::11` is `fd00:89::11`. */
export function canonical(address: string): string {
  return isIP(address) === 6 ? new URL(`http://[${address}]`).hostname.slice(1, -1) : address;
}
