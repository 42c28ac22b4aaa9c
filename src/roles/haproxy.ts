import type { ClusterSettings } from "../config/schema";
import { KEEPALIVES, LOCAL_PORTS } from "./kernel";
import { listed, type Party, type Port, type Role } from "./role";

type Ports = NonNullable<ClusterSettings["loadBalancers"]>["ports"];

/** A load balancer: where clients connect, led to the member with the right role. */
export const haproxy: Role = {
  name: "haproxy",
  after: [],
  hosts: ({ loadBalancers }) =>
    listed("loadBalancers.hosts", loadBalancers?.hosts ?? [], (host) => host),
  user: "haproxy",

  software: () => ["haproxy"],
  sameVersions: [],

  ports: [
    port("primary", "primary", ["clients", "backup host"]),
    port("replica", "replicas", ["clients"]),
    port("synchronous", "synchronous", ["clients"]),
    port("asynchronous", "asynchronous", ["clients"]),
    port("stats", "statistics page", ["admins"]),
  ],
  traffic: [],
  logins: [],

  // Also without balancers, as stacks have it in their state.
  secrets: () => [{ name: "stats" }],
  directories: [],
  database: false,
  // Every client connection is two, one of which needs a local port of its own. Values of autobase's `sysctl_conf` and, for
  // the range of these ports, of its example for balancers.
  kernel: {
    ...KEEPALIVES,
    "net.core.somaxconn": "65535",
    [LOCAL_PORTS]: "1024 65535",
    "net.ipv4.tcp_tw_reuse": "1",
  },

  // Its daemon uses it from the moment it is installed.
  elsewhere: { inUse: "[ -x /usr/sbin/haproxy ]", files: "/etc/haproxy/haproxy.cfg" },

  unit: "haproxy.service",
  journal: ["haproxy.service"],
  loading: "reload",
  effect: "reloads: open sessions go on",
  felt: true,
  waitForStart: true,
  validate: () => ({
    "/etc/haproxy/haproxy.cfg": "haproxy -c -q -f {} -f /etc/haproxy/pgherd-users.cfg",
  }),
  programs: {},
};

function port(key: keyof Ports, purpose: string, from: readonly Party[]): Port {
  return {
    setting: `loadBalancers.ports.${key}`,
    number: ({ loadBalancers }) => loadBalancers?.ports[key],
    purpose,
    from: () => from,
  };
}
