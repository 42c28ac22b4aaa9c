import { posix } from "node:path";
import { distributionNamed, type Owner } from "../distributions/distributions";

/** A path as everybody compares it: no `//`, no `.` or `..`, no slash at its end. */
export function normalizePath(path: string): string {
  const normal = posix.normalize(path);
  return normal.length > 1 && normal.endsWith("/") ? normal.slice(0, -1) : normal;
}

/** What a directory is for: the user whom root gives it to. */
export type Purpose = Owner;

/** Nothing that pgherd makes may lie in these, since others write there, or since it is gone at the next boot. */
const CLOSED: { readonly [whose: string]: readonly string[] } = {
  "the system's": [
    ...["/bin", "/boot", "/etc", "/lib", "/lib32", "/lib64", "/libx32", "/lost+found", "/sbin"],
    ...["/usr", "/var/cache", "/var/log", "/var/mail", "/var/spool"],
    ...["apt", "aspell", "dbus", "dhcp", "dhcpcd", "dictionaries-common", "dpkg", "emacsen-common"],
    ...["git", "grub", "initramfs-tools", "initscripts", "insserv", "logrotate", "man-db", "misc"],
    ...[
      "os-prober",
      "pam",
      "plymouth",
      "polkit-1",
      "private",
      "python",
      "sgml-base",
      "shells.state",
    ],
    ...["sudo", "systemd", "ucf", "update-rc.d", "urandom", "usbutils", "vim", "xml-core"],
    ...["NetworkManager", "chrony", "cloud", "ntp", "ntpsec", "unattended-upgrades", "usermin"],
  ].map((path) => (path.startsWith("/") ? path : `/var/lib/${path}`)),
  "the kernel's": ["/dev", "/proc", "/sys"],
  "emptied at a boot": ["/run", "/tmp", "/var/lock", "/var/run", "/var/tmp"],
  "of people who log in": ["/home", "/root"],
  "pgherd's own": ["/var/lib/pgherd"],
  "another daemon's": [
    ...["AccountsService", "containerd", "docker", "haproxy", "keepalived", "libvirt", "mysql"],
    ...["nfs", "prometheus", "samba"],
  ].map((path) => `/var/lib/${path}`),
};

/** These hold others' directories; one of their own in them is what they are for. */
const SHARED = [
  ...["/", "/media", "/mnt", "/opt", "/srv", "/usr/local", "/var", "/var/backups", "/var/lib"],
  ...["/var/local", "/var/opt"],
];

/** The same in all distributions that pgherd knows. */
const HOMES = distributionNamed().homes;

/**
 * Why a directory cannot be given to the user of a purpose, as the end of a sentence: `which lies in /etc, the system's`.
 * @param path normalised.
 */
export function unfitFor(purpose: Purpose, path: string): string | undefined {
  for (const [whose, places] of Object.entries(CLOSED)) {
    const place = places.find((one) => lies(path, one));
    if (place !== undefined && !lies(path, "/usr/local"))
      return path === place ? `which is ${whose}` : `which lies in ${place}, ${whose}`;
  }
  if (SHARED.includes(path)) return "which holds what is others'";
  for (const [user, home] of Object.entries(HOMES)) {
    if (user !== purpose && lies(path, home)) return `which lies in ${home}, the home of ${user}`;
    if (user !== purpose && lies(home, path)) return `which holds ${home}, the home of ${user}`;
    // Keys of SSH, passwords and the like, which programs look for there.
    if (path.startsWith(`${home}/.`)) return `which is for what is ${user}'s own in ${home}`;
  }
  if (purpose === "postgres" && path === HOMES.postgres)
    return "which is the home of the user postgres";
  return undefined;
}

/**
 * Whether packages may have this directory on a host, and it is still a place for directories of this purpose: others hold
 * what their software keeps there, whatever that is called.
 */
export function isOpenTo(purpose: Purpose, path: string): boolean {
  return SHARED.includes(path) || lies(path, HOMES[purpose]);
}

/** Whether a path is a place, or lies in it. Both are normalised. */
export function lies(path: string, place: string): boolean {
  return path === place || path.startsWith(place === "/" ? place : `${place}/`);
}
