import ipaddr from "ipaddr.js";

/**
 * The network that an address with its prefix length lies in: `10.89.0.100/24` becomes `10.89.0.0/24`, and
 * `fd00:89::100/64` becomes `fd00:89::/64`.
 */
export function networkOf(address: string): string {
  const [base = "", prefix = ""] = address.split("/");
  const family = ipaddr.IPv4.isValid(base) ? ipaddr.IPv4 : ipaddr.IPv6;
  return `${family.networkAddressFromCIDR(address).toString()}/${prefix}`;
}
