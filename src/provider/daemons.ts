import type { Loading } from "../operations/units";

/** What pgherd knows of a daemon beyond its files. */
export interface DaemonTraits {
  readonly unit: string;
  /** How it takes a new configuration. */
  readonly loading: Loading;
  /** Whether its start can be waited for. etcd's ends only when a majority has started. */
  readonly waitForStart: boolean;
  /** Commands that check a file, with `{}` for its path. */
  readonly validate: { readonly [path: string]: string };
}

/** The daemons, by the name that services use. */
export const DAEMONS: { readonly [daemon: string]: DaemonTraits } = {
  etcd: { unit: "etcd.service", loading: "restart", waitForStart: false, validate: {} },
  // A reload makes Patroni read its files again; what needs a restart of PostgreSQL then waits for one.
  patroni: { unit: "patroni.service", loading: "reload", waitForStart: true, validate: {} },
  haproxy: {
    unit: "haproxy.service",
    loading: "reload",
    waitForStart: true,
    validate: { "/etc/haproxy/haproxy.cfg": "haproxy -c -q -f {} -f /etc/haproxy/pgherd-users.cfg" },
  },
  keepalived: {
    unit: "keepalived.service",
    loading: "reload",
    waitForStart: true,
    validate: { "/etc/keepalived/keepalived.conf": "keepalived --config-test -f {}" },
  },
};
