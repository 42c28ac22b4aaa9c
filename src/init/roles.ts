import { isIP } from "node:net";
import ipaddr from "ipaddr.js";
import { distributionNamed } from "../distributions/distributions";
import { networkOf } from "../plan/networks";
import type { Surroundings } from "../facts/candidate";
import type { HostFacts } from "../facts/host";

/** A host that has been looked at. */
export interface Candidate extends Surroundings {
  readonly name: string;
  readonly address: string;
  readonly facts: Pick<HostFacts, "system" | "memory" | "cores" | "disk" | "cluster">;
}

/** What the user has said himself. */
export interface Wishes {
  readonly members?: readonly string[];
  readonly dcs?: readonly string[];
  readonly balancers?: readonly string[];
  readonly backup?: string;
  /** `10.89.0.100`, or with the length of its network's prefix. */
  readonly vip?: string;
}

/** Which host does what. */
export interface Roles {
  readonly members: readonly string[];
  readonly dcs: readonly string[];
  readonly balancers: readonly string[];
  readonly backup?: string;
  readonly vip?: { readonly address: string; readonly interface?: string };
  /** The network of the first member, whose hosts may be clients where no virtual IP says who. */
  readonly clients?: string;
  /** The server that runs already, if there is one. */
  readonly running?: { readonly host: string; readonly port: number; readonly version?: string };
}

/** What names of hosts mostly mean. */
const BY_NAME: readonly (readonly [RegExp, "balancers" | "backup" | "dcs"])[] = [
  [/^(lb|ha|haproxy|proxy|balancer|vip)[-\d]*$/, "balancers"],
  [/^(backup|backups|barman|bkp)[-\d]*$/, "backup"],
  [/^(etcd|dcs|witness|quorum|arbiter)[-\d]*$/, "dcs"],
];

/** Where names say nothing: the first three hold the data, the next two are balancers, one more keeps the backups. */
const MEMBERS = 3;
const BALANCERS = 2;

/** What of wishes cannot be, a sentence for each option; all at once. */
export function wrongWishes(wishes: Wishes, names: readonly string[]): string[] {
  const { members = [], dcs = [], balancers = [], backup, vip } = wishes;
  const named = { members, dcs, balancers, backup: backup ? [backup] : [] };
  const wrong = Object.entries(named).flatMap(([option, said]) => {
    const strangers = said.filter((name) => !names.includes(name));
    if (strangers.length === 0) return [];
    return [`--${option} ${strangers.join(" ")}: expected some of ${names.join(", ")}.`];
  });
  if (vip !== undefined && isIP(vip.split("/")[0] ?? "") === 0)
    wrong.push(`--vip ${vip}: expected an address such as 10.0.0.100.`);
  return wrong;
}

/** Which host is to do what, by its name, unless the user says so himself; what is not named holds the data. */
export function proposeRoles(candidates: readonly Candidate[], wishes: Wishes = {}): Roles {
  const names = candidates.map(({ name }) => name);
  const found = sorted(names);
  const balancers = wishes.balancers ?? found.balancers;
  const backup = wishes.backup ?? found.backup;
  const apart = [
    ...balancers,
    ...(backup === undefined ? [] : [backup]),
    ...(wishes.dcs ?? found.dcs),
  ];
  const members =
    wishes.members ??
    (found.byName ? names.filter((name) => !apart.includes(name)) : found.members);
  // The server of a cluster's member is nobody's to migrate.
  const running = candidates
    .filter(({ facts }) => facts.cluster === "")
    .flatMap(({ name, servers }) => servers.map((server) => ({ host: name, ...server })));
  const ofMembers = running.filter(({ host }) => members.includes(host));
  const first = candidates.find(({ name }) => name === members[0]);
  return {
    ...{ members, balancers, backup },
    dcs: wishes.dcs ?? voters(members, found.dcs, [backup, ...balancers]),
    vip: wishes.vip === undefined ? undefined : placed(wishes.vip, candidates, balancers),
    clients: first && ownNetwork(first),
    running: ofMembers.length === 1 ? ofMembers[0] : undefined,
  };
}

/** Hosts that another cluster has already, a sentence each: no stack for this one can have them. */
export function strangers(candidates: readonly Candidate[], cluster: string): string[] {
  return candidates
    .filter(({ facts }) => facts.cluster !== "" && facts.cluster !== cluster)
    .map(
      ({ name, facts }) =>
        `${name} is a part of the cluster ${facts.cluster} already. Leave it out, or, where that one's stack is lost, ` +
        `write it anew: --name ${facts.cluster}`,
    );
}

/** All releases that a stack may run on. */
const KNOWN = distributionNamed();

/** What the user should know of these hosts and this choice. */
export function remarks(candidates: readonly Candidate[], roles: Roles): string[] {
  const told: string[] = [];
  for (const { name, facts, servers } of candidates) {
    if (!KNOWN.systems.includes(facts.system))
      told.push(`${name} runs ${facts.system}: expected ${KNOWN.title}.`);
    if (facts.cluster !== "")
      told.push(`${name} is a part of the cluster ${facts.cluster} already.`);
    if (servers.length > 0 && facts.cluster === "" && roles.running?.host !== name)
      told.push(
        `${name} runs PostgreSQL on port ${servers.map(({ port }) => port).join(", ")}, which is left alone; see docs/migration.md.`,
      );
  }
  if (roles.running) {
    told.push(
      `${roles.running.host} runs PostgreSQL ${roles.running.version ?? ""} on port ${roles.running.port}: it becomes the first member, one step at a time, with a way back; see docs/migration.md.`.replace(
        "  ",
        " ",
      ),
    );
  }
  if (roles.members.length === 2 && roles.dcs.length < 3)
    told.push(
      "Two members and nobody to decide between them: with a third host as `witness` either of them can be lost.",
    );
  if (roles.members.length === 1) told.push("One member: nobody takes over when it is lost.");
  if (roles.backup === undefined) told.push("No host keeps backups: name one with --backup.");
  if (roles.balancers.length === 0)
    told.push("No load balancers: clients name all members and look for the leader themselves.");
  return told;
}

interface Sorted {
  readonly byName: boolean;
  readonly members: readonly string[];
  readonly dcs: readonly string[];
  readonly balancers: readonly string[];
  readonly backup?: string;
}

function sorted(names: readonly string[]): Sorted {
  const of = (role: string) =>
    names.filter((name) =>
      BY_NAME.some(([pattern, means]) => means === role && pattern.test(name)),
    );
  const [balancers, backups, dcs] = [of("balancers"), of("backup"), of("dcs")];
  if (balancers.length + backups.length + dcs.length > 0) {
    return { byName: true, members: [], balancers, dcs, backup: backups[0] };
  }
  return {
    byName: false,
    dcs: [],
    members: names.slice(0, MEMBERS),
    balancers: names.slice(MEMBERS, MEMBERS + BALANCERS),
    backup: names[MEMBERS + BALANCERS],
  };
}

/** An odd number of voters: three, where there are as many hosts. */
function voters(
  members: readonly string[],
  own: readonly string[],
  others: readonly (string | undefined)[],
): string[] {
  if (own.length >= 3) return own.slice(0, own.length - ((own.length + 1) % 2));
  const all = [...members, ...own, ...others.filter((one) => one !== undefined)];
  const some = [...new Set(all)].slice(0, 3);
  return some.length === 3 ? some : some.slice(0, 1);
}

/** The virtual address with the prefix and the interface of the balancers' network that it lies in. */
function placed(
  vip: string,
  candidates: readonly Candidate[],
  balancers: readonly string[],
): Roles["vip"] {
  const [address = ""] = vip.split("/");
  const networks = candidates
    .filter(({ name }) => balancers.includes(name))
    .flatMap((one) => one.networks);
  const around = networks.find((network) => holds(network, address));
  const prefix = vip.split("/")[1] ?? around?.prefix;
  return {
    address: prefix === undefined ? address : `${address}/${prefix}`,
    ...(around && { interface: around.interface }),
  };
}

function holds(network: { address: string; prefix: number }, address: string): boolean {
  if (!ipaddr.isValid(address) || !ipaddr.isValid(network.address)) return false;
  const [one, other] = [ipaddr.parse(address), ipaddr.parse(network.address)];
  return one.kind() === other.kind() && one.match([other, network.prefix] as never);
}

/** The network in which the others reach a host. */
function ownNetwork({ address, networks }: Candidate): string | undefined {
  const own = networks.find((network) => network.address === address);
  return own && networkOf(`${own.address}/${own.prefix}`);
}
