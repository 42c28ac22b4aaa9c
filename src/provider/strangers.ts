import { dcsOf, type DcsVoters, type ListedMember, type Unnamed } from "../dcs/dcs";
import { HealthError } from "../errors";

/**
 * @throws HealthError if the membership has a member that is none of these: it counts for the majority.
 */
export function refuseStrangers(
  cluster: string,
  wanted: Unnamed<DcsVoters>,
  members: readonly ListedMember[],
): void {
  const addresses = Object.values(wanted.members).map(addressIn);
  const strangers = members.filter(({ name, peerUrl }) =>
    name === "" ? !addresses.includes(addressIn(peerUrl)) : !Object.hasOwn(wanted.members, name),
  );
  if (strangers.length === 0) return;
  const named = strangers.map(
    ({ id, name, peerUrl }) => `${name || "one that has not started yet"} (${id}, ${peerUrl})`,
  );
  const hosts = Object.keys(wanted.members);
  const { kind, removeByHand } = dcsOf(wanted);
  throw new HealthError(
    `${cluster}: expected ${kind}'s members to be ${hosts.join(", ")}, got also ${named.join(", ")}. ` +
      "Each of them counts for the majority without which nothing is written.",
    `If nobody needs it, on ${hosts[0]}: ${removeByHand(strangers[0]?.id ?? "")}`,
  );
}

/** `10.89.0.11`, `fd00::11` */
export function addressIn(url: string): string {
  return new URL(url).hostname.replace(/^\[|\]$/g, "");
}
