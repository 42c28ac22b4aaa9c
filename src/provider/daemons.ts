import type { Loading } from "../operations/units";

/** What pgherd knows of a daemon beyond its files. */
export interface DaemonTraits {
  readonly unit: string;
  /** How it takes a new configuration. */
  readonly loading: Loading;
  /** Whether its start can be waited for. etcd's ends only when a majority has started. */
  readonly waitForStart: boolean;
  /** What loading a new configuration does to whoever uses it, for the preview. */
  readonly effect: string;
  /** Commands that check a file, with `{}` for its path. */
  readonly validate: { readonly [path: string]: string };
}

/**
 * Keepalived 2.2 (Debian 12) ends the test of a configuration with a script by a signal to its own process group, whether
 * the configuration is right or not: then only what it says tells.
 */
const KEEPALIVED_TEST =
  "{ words=$(setsid -w keepalived --config-test -f {} 2>&1) && code=0 || code=$?; printf '%s' \"$words\"; " +
  '[ "$code" = 0 ] || case "$code $words" in "143 "|"143 Terminated") ;; *) false;; esac; }';

/** The daemons, by the name that services use. */
export const DAEMONS: { readonly [daemon: string]: DaemonTraits } = {
  etcd: {
    unit: "etcd.service",
    loading: "restart",
    effect: "restarts, one member at a time, while the others are healthy",
    waitForStart: false,
    validate: {},
  },
  // A reload makes Patroni read its files again; what needs a restart of PostgreSQL then waits for one.
  patroni: {
    unit: "patroni.service",
    loading: "reload",
    effect: "reloads its files: PostgreSQL goes on",
    waitForStart: true,
    validate: {},
  },
  haproxy: {
    unit: "haproxy.service",
    loading: "reload",
    effect: "reloads: open sessions go on",
    waitForStart: true,
    validate: {
      "/etc/haproxy/haproxy.cfg": "haproxy -c -q -f {} -f /etc/haproxy/pgherd-users.cfg",
    },
  },
  // Its timers and settings are read whenever one of its programs starts; the receiver itself has to start anew.
  barman: {
    unit: "pgherd-barman.service",
    loading: "restart",
    effect: "restarts its receiver of WAL, which goes on where it was",
    waitForStart: true,
    validate: {},
  },
  keepalived: {
    unit: "keepalived.service",
    loading: "reload",
    effect: "reloads: the virtual IP stays where it is",
    waitForStart: true,
    validate: { "/etc/keepalived/keepalived.conf": KEEPALIVED_TEST },
  },
};
