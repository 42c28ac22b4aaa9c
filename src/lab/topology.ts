import { PgherdError } from "../errors";

/** Debian releases that `tools/setup-lab` makes base trees for; the first one is the default, the last one is still being made. */
export const DISTROS = ["trixie", "bookworm", "forky"] as const;
export type Distro = (typeof DISTROS)[number];

/** Which hosts a lab consists of; their fixed addresses are in `OCTETS`. */
export const TOPOLOGIES = {
  small: ["db1", "db2", "witness"],
  standard: ["db1", "db2", "db3", "lb1", "lb2", "backup1"],
  large: [
    ...["db1", "db2", "db3", "db4", "db5"],
    ...["etcd1", "etcd2", "etcd3"],
    ...["lb1", "lb2", "backup1"],
  ],
} as const;
export type Topology = keyof typeof TOPOLOGIES;
export const DEFAULT_TOPOLOGY: Topology = "standard";

/** Where a host is reached inside its lab's network namespace. */
export interface HostAddress {
  readonly name: string;
  /** e.g. `10.89.0.11` */
  readonly address: string;
  /** e.g. `fd00:89::11`: the IPv4 address's last octet, read as hexadecimal digits */
  readonly address6: string;
}

/** The controller's side of the bridge: where commands run by `lab exec` come from. */
export const CONTROLLER = hostAddress("controller", 1);
export const PREFIX_LENGTH = 24;
export const PREFIX_LENGTH6 = 64;

/** Patterns of ssh_config that match every address of a lab. */
export const ADDRESS_PATTERNS = ["10.89.0.*", "fd00:89::*"] as const;

/** Last octet of a blank host added to a lab by name only, see `addHost`. */
const STRANGER_OCTET = 200;

// .100 stays free for a VIP.
const OCTETS: Readonly<Record<string, number>> = {
  ...{ db1: 11, db2: 12, db3: 13, db4: 14, db5: 15 },
  ...{ etcd1: 21, etcd2: 22, etcd3: 23, witness: 29 },
  ...{ lb1: 31, lb2: 32, backup1: 41 },
};

/** Names and addresses of a topology's hosts, in the order of its table. */
export function hostsOf(topology: Topology): HostAddress[] {
  return TOPOLOGIES[topology].map((name) => hostAddress(name, OCTETS[name] ?? 0));
}

/**
 * The address of a host that is to join a lab beside its topology's own.
 * @throws PgherdError when the name cannot be a host's name, or name or address are taken
 */
export function extraHost(
  name: string,
  taken: readonly HostAddress[],
  octet = STRANGER_OCTET,
): HostAddress {
  // The host's end of the veth pair is called `vb-NAME`, and the kernel allows 15 characters.
  if (!/^[a-z][a-z0-9-]{0,11}$/.test(name))
    throw new PgherdError(
      `host name: expected 1 to 12 lower-case letters, digits or "-", a letter first, got "${name}".`,
    );
  if (!Number.isInteger(octet) || octet < 2 || octet > 254)
    throw new PgherdError(
      `${name}: expected the last octet of its address between 2 and 254, got ${octet}.`,
    );
  const host = hostAddress(name, octet);
  const twin = taken.find((other) => other.name === name || other.address === host.address);
  if (twin)
    throw new PgherdError(
      `${name} (${host.address}): the lab already has ${twin.name} (${twin.address}).`,
      "Take another name and another last octet.",
    );
  return host;
}

function hostAddress(name: string, octet: number): HostAddress {
  return { name, address: `10.89.0.${octet}`, address6: `fd00:89::${octet}` };
}
