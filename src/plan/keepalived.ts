import { isIP } from "node:net";
import type { Settings } from "../config/schema";
import { addressOf } from "./addresses";
import { script } from "./script";
import { render } from "./template";
import type { ServicePlan } from "./types";

/**
 * Priority of the first load balancer; each further one stands lower, so that no two are equal. The highest that no owner
 * of the address has: the lower, the longer a silent holder is waited for, by up to a second (RFC 3768, 6.1, Skew_Time).
 */
const HIGHEST_PRIORITY = 254;
const PRIORITY_STEP = 10;

/** Keepalived on each load balancer; exactly one of them holds the virtual IP. */
export function planKeepalivedServices({ hosts, cluster }: Settings): ServicePlan[] {
  const balancers = cluster.loadBalancers;
  if (!balancers || balancers.vip.length === 0) return [];
  // VRRP carries addresses of one family, that of the balancers themselves; others come and go with them.
  const family = (address: string) => isIP(address.replace(/\/.*/, ""));
  const own = family(addressOf(hosts, balancers.hosts[0] as string));
  // VRRP for IPv6 is version 3, which has no passwords (RFC 5798, 9): there the firewall alone keeps strangers out.
  const authenticated = own === 4;
  const vips = balancers.vip.filter((vip) => family(vip) === own);
  const others = balancers.vip.filter((vip) => family(vip) !== own);
  return balancers.hosts.map((host, i): ServicePlan => ({
    host,
    daemon: "keepalived",
    directories: {},
    files: {
      ...script("/etc/keepalived/check-haproxy", "keepalived/check-haproxy", {
        port: balancers.ports.stats,
      }),
      "/etc/keepalived/keepalived.conf": {
        mode: "0644",
        owner: "root",
        group: "root",
        content: render("keepalived/keepalived.conf", {
          name: host,
          interface: balancers.interface,
          virtualRouterId: balancers.virtualRouterId,
          priority: HIGHEST_PRIORITY - i * PRIORITY_STEP,
          preempt: balancers.preempt,
          address: addressOf(hosts, host),
          peers: balancers.hosts
            .filter((other) => other !== host)
            .map((other) => addressOf(hosts, other)),
          vips,
          others,
          authenticated,
        }),
      },
    },
    secretFiles: authenticated
      ? {
          "/etc/keepalived/secret.conf": {
            mode: "0600",
            owner: "root",
            group: "root",
            template: "keepalived/secret.conf",
            values: {},
            secrets: { vrrp: { role: "keepalived", name: "vrrp" } },
          },
        }
      : {},
  }));
}
