import { isIPv6 } from "node:net";
import ipaddr from "ipaddr.js";

/** A network of pg_hba.conf, as PostgreSQL holds it: an address and how many leading bits of it count. */
export interface Network {
  readonly address: ipaddr.IPv4 | ipaddr.IPv6;
  readonly prefix: number;
}

/** An address or mask as getaddrinfo(3) reads numbers, with AI_NUMERICHOST: `10.0.0.1`, but also `10.1`, `0` and `0x0`. */
export function numericAddress(text: string): Network["address"] | undefined {
  // Zones (`fe80::1%eth0`) are no part of what PostgreSQL compares.
  if (isIPv6(text) && !text.includes("%")) return ipaddr.IPv6.parse(text);
  // Of inet_aton(3) it has all forms, and it tells octal from decimal digits.
  return ipaddr.IPv4.isValid(text) ? ipaddr.IPv4.parse(text) : undefined;
}

/**
 * How many bits `/…` counts, as strtol(3) reads it: `/00` is `/0`. Nothing if PostgreSQL would refuse it
 * (src/common/ip.c and src/backend/libpq/ifaddr.c, pg_sockaddr_cidr_mask).
 */
export function prefixLength(text: string, address: Network["address"]): number | undefined {
  if (!/^[ \t\n\v\f\r]*[+-]?\d+$/.test(text)) return undefined;
  const bits = Number(text);
  return bits >= 0 && bits <= bitsOf(address) ? Math.abs(bits) : undefined;
}

/** Bits of an address of this family. */
export function bitsOf(address: Network["address"]): number {
  return address.kind() === "ipv4" ? 32 : 128;
}
