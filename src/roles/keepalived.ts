import { haproxy } from "./haproxy";
import type { Role } from "./role";

/**
 * Keepalived 2.2 (Debian 12) ends the test of a configuration with a script by a signal to its own process group, whether
 * the configuration is right or not: then only what it says tells.
 */
const TEST =
  "{ words=$(setsid -w keepalived --config-test -f {} 2>&1) && code=0 || code=$?; printf '%s' \"$words\"; " +
  '[ "$code" = 0 ] || case "$code $words" in "143 "|"143 Terminated") ;; *) false;; esac; }';

/** VRRP cuts a password off after 8 characters (RFC 2338, section 5.3.6; keepalived.conf(5), auth_pass). */
const VRRP_LENGTH = 8;

/** Holds the virtual IP on one of the load balancers. */
export const keepalived: Role = {
  name: "keepalived",
  after: ["haproxy"],
  hosts: (cluster) => ((cluster.loadBalancers?.vip ?? []).length > 0 ? haproxy.hosts(cluster) : []),
  user: "root",

  software: () => ["keepalived"],
  sameVersions: [],

  ports: [],
  traffic: [{ protocol: "vrrp", purpose: "virtual IP", from: ["balancers"] }],
  logins: [],

  // The same.
  secrets: () => [{ name: "vrrp", length: VRRP_LENGTH }],
  directories: [],
  database: false,
  kernel: {},

  // The same as HAProxy's.
  elsewhere: { inUse: "[ -x /usr/sbin/keepalived ]", files: "/etc/keepalived/keepalived.conf" },

  unit: "keepalived.service",
  journal: ["keepalived.service"],
  loading: "reload",
  effect: "reloads: the virtual IP stays where it is",
  felt: true,
  waitForStart: true,
  validate: () => ({ "/etc/keepalived/keepalived.conf": TEST }),
  programs: {},
};
