import { normalizePath } from "../config/directories";
import { packageManager } from "../distributions/distributions";
import type { PreflightInputs } from "../resources/inputs/preflight";
import { sameValue } from "../rpc/values";
import { compareVersions } from "../versions";
import { isFresh, sameAddress, versionOn, type FoundHost } from "./found-host";

/** Why the hosts cannot be used together, each reason with what to do; none if they can. */
export function judgeBetween(seen: readonly FoundHost[], inputs: PreflightInputs): string[] {
  return [
    ...machineIds(seen),
    ...clocks(seen),
    ...sameVersions(seen, inputs),
    ...strangers(seen, inputs),
    ...databases(seen),
    ...unreached(seen, inputs),
  ];
}

/**
 * Which settings cannot be what they have become since the last run; of who is in them other rules tell (membership.ts, voters.ts).
 * @param left what the DCS was that the cluster comes from, where it moves.
 */
export function judgeFixed(
  fixed: PreflightInputs["fixed"],
  before: PreflightInputs["fixed"],
  left?: PreflightInputs["fixed"],
): string[] {
  // A move that was cut off may have begun, or may not have.
  if (left && differing({ ...fixed, ...left }, before).length === 0) return [];
  const changed = differing(fixed, before).filter(
    (path) => path !== "dcs.members" || isOwn(fixed) !== isOwn(before),
  );
  const dcs = changed.filter((path) => path.startsWith("dcs."));
  if (dcs.some((path) => path === "dcs.kind" || isOwn(fixed) !== isOwn(before))) {
    const others = changed.filter((path) => !dcs.includes(path));
    return [...others.map((path) => otherwise(path, fixed, before)), ANOTHER_DCS];
  }
  return changed.map((path) => otherwise(path, fixed, before));
}

/** Once a move has begun, the DCS that the cluster comes from may be what some members are still in. */
export function judgeLeft(
  move: PreflightInputs["move"],
  before: PreflightInputs["move"],
): string[] {
  if (!move || !before || !sameValue(move.to as never, before.to as never)) return [];
  if (sameValue(move.fixed, before.fixed) && sameValue(move.from as never, before.from as never))
    return [];
  return [
    "pgherd:cluster.dcs.movedFrom: expected the block that the move has begun with, got another one. Put it back; once the cluster has moved, remove it.",
  ];
}

const ANOTHER_DCS =
  "pgherd:cluster.dcs: expected the DCS that this cluster is in, got another one. To move the cluster there, put the old block below the " +
  "new one as cluster.dcs.movedFrom: docs/moving-dcs.md. Else put the old one back.";

function otherwise(
  path: string,
  fixed: PreflightInputs["fixed"],
  before: PreflightInputs["fixed"],
): string {
  return (
    `pgherd:cluster.${path}: expected ${before[path]}, which this cluster was made with, got ${fixed[path]}. ` +
    (REMEDIES[path] ?? "It is kept for a cluster's life; put the old value back.")
  );
}

/** Whether the DCS is one that pgherd deploys. */
function isOwn(fixed: PreflightInputs["fixed"]): boolean {
  return fixed["dcs.members"] !== "none";
}

function differing(fixed: PreflightInputs["fixed"], before: PreflightInputs["fixed"]): string[] {
  // Before paths had one form, a stack could have them with a slash at the end.
  const value = (text = "") => (text.startsWith("/") ? normalizePath(text) : text);
  const differs = (path: string) =>
    Object.hasOwn(before, path) && value(before[path]) !== value(fixed[path]);
  return Object.keys(fixed)
    .filter((path) => path !== "members" && differs(path))
    .filter((path) => !differs(FOLLOWS[path] ?? ""));
}

/** A setting whose default follows another one: of both, only the other one was changed by the user. */
const FOLLOWS: { readonly [path: string]: string } = {
  "postgresql.dataDirectory": "postgresql.version",
};

const MADE_WITH_DATABASE =
  "It is fixed when a database is made; put the old value back, or move the data to a new cluster.";

const REMEDIES: { readonly [path: string]: string } = {
  "postgresql.version": "Upgrades are an operation of their own; put the old value back.",
  "postgresql.dataDirectory": MADE_WITH_DATABASE,
  "postgresql.dataChecksums": MADE_WITH_DATABASE,
  "postgresql.locale": MADE_WITH_DATABASE,
  "migration.from":
    "The block `migration` tells where the first member keeps its files, for the cluster's life; put the old value back.",
  "dcs.endpoints":
    "Patroni goes on with what it has begun with until it is started again, which pgherd does not do in a running cluster yet; put the old one back.",
};

/** Clocks further apart than this make logs and certificates lie. */
const CLOCK_SECONDS = 1;

function machineIds(seen: readonly FoundHost[]): string[] {
  return groups(seen, ({ facts }) => facts.machineId)
    .filter(({ hosts }) => hosts.length > 1)
    .map(
      ({ value, hosts }) =>
        `${hosts.join(", ")}: expected each host to have an /etc/machine-id of its own, found ${value} on all of them. ` +
        "If they are copies, empty that file on all but one and reboot them; if they are one host, name it once in pgherd:hosts.",
    );
}

/** Only what is certain counts: a slow answer tells little about a clock. */
function clocks(seen: readonly FoundHost[]): string[] {
  const apart = seen.some(({ clock: a }) =>
    seen.some(
      ({ clock: b }) => a.offset - b.offset - a.uncertainty - b.uncertainty > CLOCK_SECONDS,
    ),
  );
  if (!apart) return [];
  const offsets = seen.map(({ host, clock: { offset } }) => {
    const seconds = `${offset < 0 ? "-" : "+"}${Math.abs(offset).toFixed(1)} s`;
    return `${host} ${seconds}`;
  });
  return [
    `${names(seen)}: expected clocks within ${CLOCK_SECONDS} second of each other, found, against this machine's, ` +
      `${offsets.join(", ")}. Run ${packageManager.byHand.install("chrony")} and chronyc makestep on those that are wrong.`,
  ];
}

function sameVersions(seen: readonly FoundHost[], inputs: PreflightInputs): string[] {
  return inputs.sameVersions.flatMap((name) => {
    const users = seen.filter((one) => versionOn(one, name) !== undefined);
    const [first] = users;
    const version = (one: FoundHost) => versionOn(one, name) as string;
    if (!first || users.every((one) => compareVersions(version(one), version(first)) === 0)) {
      return [];
    }
    const found = groups(users, version).map(
      ({ value, hosts }) => `${value} on ${hosts.join(", ")}`,
    );
    return [
      `${names(users)}: expected the same version of ${name}, found ${found.join("; ")}. ` +
        "Use the same package sources on all of them, and upgrade those that are behind.",
    ];
  });
}

/** A host that could not be asked may be the one that holds the address: then nothing is said. */
function strangers(seen: readonly FoundHost[], { hosts, vips }: PreflightInputs): string[] {
  const balancers = seen.filter(({ requirement }) => requirement.interface);
  const all = Object.values(hosts).filter((requirement) => requirement.interface).length;
  if (balancers.length < all) return [];
  const own = seen.flatMap(({ facts }) => facts.macs);
  return vips
    .filter(
      (vip) => !seen.some(({ facts }) => facts.addresses.some((one) => sameAddress(one, vip))),
    )
    .flatMap((vip) => {
      const heard = balancers.flatMap(({ host, facts }) =>
        facts.answering
          .filter(({ address, mac }) => sameAddress(address, vip) && !own.includes(mac))
          .map(({ mac }) => ({ host, mac })),
      );
      const [first] = heard;
      if (!first) return [];
      return [
        `${heard.map(({ host }) => host).join(", ")}: expected nobody to answer for the virtual IP ${vip} yet, found ` +
          `${first.mac ? `a stranger with the interface address ${first.mac}` : "a stranger"}. ` +
          "Choose a free address for pgherd:cluster.loadBalancers.vip, or take it from the other one.",
      ];
    });
}

function databases(seen: readonly FoundHost[]): string[] {
  // A server that is migrated has its data where the survey finds them; what is here may be another one's.
  const holders = seen.filter(
    (one) => !isFresh(one) && !one.requirement.adoptsPort && one.facts.data.systemIdentifier !== "",
  );
  const found = groups(holders, ({ facts }) => facts.data.systemIdentifier);
  if (found.length < 2) return [];
  const each = found.map(({ value, hosts }) => `${value} on ${hosts.join(", ")}`);
  return [
    `${names(holders)}: expected the data of one database, found the system identifiers ${each.join("; ")}. ` +
      "Find out which one is the cluster's; move the data directory of the others away, and Patroni copies it anew.",
  ];
}

function unreached(seen: readonly FoundHost[], { hosts }: PreflightInputs): string[] {
  const missed = new Map<string, string[]>();
  for (const { host, requirement, closed } of seen) {
    for (const { to, port, purpose } of requirement.reaches) {
      const address = hosts[to]?.address ?? "";
      const blocked = closed.find((one) => one.port === port && one.address === address);
      if (!blocked) continue;
      const reason =
        `expected to reach ${purpose} on ${to} (${address} port ${port}), got: ${blocked.found}. ` +
        `A firewall in between or on ${to} stops it; pgherd plan --flows prints all that must pass.`;
      missed.set(reason, [...(missed.get(reason) ?? []), host]);
    }
  }
  return [...missed].map(([reason, from]) => `${from.join(", ")}: ${reason}`);
}

/** Hosts by what they have in common, in the order in which it is met; what is empty is left out. */
function groups(
  seen: readonly FoundHost[],
  key: (one: FoundHost) => string,
): { value: string; hosts: string[] }[] {
  const found = new Map<string, string[]>();
  for (const one of seen) {
    const value = key(one);
    if (value !== "") found.set(value, [...(found.get(value) ?? []), one.host]);
  }
  return [...found].map(([value, hosts]) => ({ value, hosts }));
}

function names(seen: readonly FoundHost[]): string {
  return seen.map(({ host }) => host).join(", ");
}
