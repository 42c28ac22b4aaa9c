import { dcsAt, dcsOf, type DcsVoters, type ListedMember, type Unnamed } from "../dcs/dcs";
import { ConnectError } from "../errors";
import { unitProbe } from "../facts/systemd";
import type { Context } from "./context";

/** Those that the stack names, and those of before. */
export interface Voters extends Unnamed<DcsVoters> {
  /** URLs for clients by host. */
  readonly former: DcsVoters["members"];
}

/** Those of before who belong to the DCS still; `undefined` where nobody is there who tells. */
export async function formerIn(
  context: Context,
  voters: Voters,
): Promise<ListedMember[] | undefined> {
  const asks = await whoAsks(context, voters);
  if (!asks) return undefined;
  const { membershipProbe } = dcsAt({ kind: voters.kind, endpoints: asks.endpoints });
  const { members } = await context.host(asks.host).observe(membershipProbe());
  return members.filter((one) => isFormer(one, voters));
}

/** One that has not started yet is known by where it would be. */
export function isFormer({ name, peerUrl }: ListedMember, { former, members }: Voters): boolean {
  if (name !== "") return Object.hasOwn(former, name) && !Object.hasOwn(members, name);
  const at = (urls: DcsVoters["members"]) =>
    Object.values(urls).some((url) => new URL(url).hostname === new URL(peerUrl).hostname);
  return at(former) && !at(members);
}

/** A host that gets an answer, and the endpoints that take part in a majority. */
export async function whoAsks(
  context: Context,
  voters: Voters,
): Promise<{ readonly host: string; readonly endpoints: readonly string[] } | undefined> {
  // Who voted once may be of another DCS by now: they are asked only where none of the others is there yet.
  return (
    (await whoAsksThese(context, voters, voters.members)) ??
    (await whoAsksThese(context, voters, voters.former))
  );
}

async function whoAsksThese(
  context: Context,
  voters: Voters,
  asked: DcsVoters["members"],
): Promise<{ readonly host: string; readonly endpoints: readonly string[] } | undefined> {
  const dcs = dcsAt({ kind: voters.kind, endpoints: Object.values(asked) });
  const { unit } = dcsOf(voters);
  for (const host of Object.keys(asked)) {
    try {
      const { active } = await context.host(host).observe(unitProbe(unit));
      if (active !== "active") continue;
      const endpoints = await context.host(host).observe(dcs.healthyProbe());
      if (endpoints.length > 0) return { host, endpoints };
    } catch (error) {
      // That it cannot be reached shows by its own resources.
      if (!(error instanceof ConnectError)) throw error;
    }
  }
  return undefined;
}
