import ipaddr from "ipaddr.js";
import type { PreflightInputs } from "../resources/inputs/preflight";
import type { FoundHost } from "./found-host";

/** The firewall's rules are tried, and taken back where they let us in no more; by then the packages are there. */
export function letsUsIn({ host, loginFrom }: FoundHost, { logins }: PreflightInputs) {
  const networks = logins?.[host];
  if (!networks || loginFrom === undefined) return;
  if (networks.some((network) => holds(network, loginFrom))) return;
  return (
    `expected the address that you log in from to be let in, which it sees as ${loginFrom}, got ${networks.join(", ")}. ` +
    "Put it into pgherd:cluster.firewall.ssh: otherwise nobody could log in from here any more."
  );
}

function holds(network: string, address: string): boolean {
  const [base = "", bits] = network.split("/");
  const [outer, inner] = [ipaddr.parse(base), ipaddr.parse(address)];
  const all = outer.kind() === "ipv4" ? 32 : 128;
  return outer.kind() === inner.kind() && inner.match([outer, Number(bits ?? all)] as never);
}
