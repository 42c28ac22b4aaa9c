import type { Settings } from "../config/schema";
import type { DcsAddress, Unnamed } from "../dcs/dcs";
import { placeOf } from "../dcs/existing";
import type { PatroniDcs } from "../dcs/planned";
import {
  existingDcs,
  formerDcs,
  namedKind,
  registersService,
  type ExistingDcs,
} from "../roles/dcs";
import type { MoveInput } from "../resources/inputs/move";
import { addressOf } from "./addresses";
import { endpoint } from "./template";
import type { ClusterPlan, DcsPlan } from "./types";

/** Which DCS the cluster has, and where its members take what is asked. */
export function planDcs(settings: Settings): DcsPlan {
  return planned(settings, settings.cluster.dcs);
}

/** The same of the one that it comes from, as long as the stack names that. */
export function planFormerDcs(settings: Settings): DcsPlan | undefined {
  const former = formerDcs(settings.cluster);
  return former && planned(settings, former);
}

/** Where the cluster comes from and goes to, as long as the stack names the former. */
export function planMove(settings: Settings): MoveInput | undefined {
  const former = planFormerDcs(settings);
  return former && { from: dcsAddress(former), to: dcsAddress(planDcs(settings)) };
}

/** One that the stack names, the cluster's or the one that it comes from. */
export function planned(settings: Settings, dcs: Settings["cluster"]["dcs"]): DcsPlan {
  const { kind } = dcs;
  if ("endpoints" in dcs) {
    const { endpoints, prefix } = dcs;
    return { kind, members: {}, existing: { endpoints, prefix } };
  }
  return { kind, members: urlsOf(settings, dcs.members, dcs.clientPort) };
}

/** The DCS as resources name it: etcd, which is in the states of all stacks so far, without its kind. */
export function dcsAddress(dcs: DcsPlan): Unnamed<DcsAddress> {
  return { ...namedKind(dcs.kind), ...placeOf(dcs) };
}

/**
 * The host that asks the DCS first: one that votes, or any member where it is somebody else's.
 * @param joining who does not vote yet.
 */
export function firstToAsk({ dcs, patroni }: Askable, joining: readonly string[] = []): string {
  const [voter] = Object.keys(dcs.members).filter((name) => !joining.includes(name));
  const [member = ""] = Object.keys(patroni.members);
  return voter ?? member;
}

interface Askable {
  readonly dcs: DcsPlan;
  readonly patroni: Pick<ClusterPlan["patroni"], "members">;
}

/** The DCS as files on a host name it: with a voter's own endpoint first there, and what it is let in by. */
export function dcsOnHost({ cluster }: Settings, dcs: DcsPlan, host: string): PatroniDcs {
  const place = placeOf({ ...dcs, members: nearestFirst(dcs, host) });
  const given = existingDcs(cluster);
  return given
    ? { ...place, identity: identityOf(given) }
    : { ...place, registers: registersService(cluster) };
}

/** A member's own host first, if it is of the DCS: the nearest to begin with. Patroni finds the others there. */
function nearestFirst({ members }: DcsPlan, host: string): DcsPlan["members"] {
  const sorted = Object.entries(members).sort(
    ([a], [b]) => Number(b === host) - Number(a === host),
  );
  return Object.fromEntries(sorted);
}

/** What it lets in by; the secrets come later. */
export function identityOf(dcs: ExistingDcs): NonNullable<PatroniDcs["identity"]> {
  return {
    ca: dcs.ca !== undefined,
    certificate: dcs.certificate !== undefined,
    anonymous: "anonymous" in dcs && dcs.anonymous,
    ...("username" in dcs && { username: dcs.username }),
  };
}

/** URLs for clients of those who voted before. @param former with the addresses that they had. */
export function formerUrls(
  { cluster: { dcs } }: Settings,
  former: { readonly [host: string]: string },
): { [host: string]: string } {
  if ("endpoints" in dcs) return {};
  return Object.fromEntries(
    Object.entries(former).map(([host, address]) => [
      host,
      `http://${endpoint(address, dcs.clientPort)}`,
    ]),
  );
}

/** A port of each voter: `{ db1: "http://10.89.0.11:2379" }`. */
export function urlsOf(
  { hosts }: Settings,
  voters: readonly string[],
  port: number,
): { [host: string]: string } {
  return Object.fromEntries(
    voters.map((host) => [host, `http://${endpoint(addressOf(hosts, host), port)}`]),
  );
}
