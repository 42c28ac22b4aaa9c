import type { Probe } from "../host/host";
import { type DcsKind, UNNAMED } from "../roles/dcs";
import { consulAt } from "./consul/consul";
import { etcdAt } from "./etcd/etcd";
import { placeOf, prefixOf, type ExistingPlace, type Standing } from "./existing";
import { keysBelow } from "./keys-below";

export type { DcsKind };

/** How a DCS is spoken to. */
export interface DcsAddress {
  readonly kind: DcsKind;
  /** URLs for clients, each of which leads to all that there is: `["http://10.89.0.11:2379"]`. */
  readonly endpoints: readonly string[];
  /** Of one that somebody else runs. */
  readonly existing?: ExistingPlace;
}

/** Where it is, whatever its kind. */
export type DcsPlace = Omit<DcsAddress, "kind">;

/** A DCS by those who vote in it. */
export interface DcsVoters {
  readonly kind: DcsKind;
  /** URL for clients by host: `{ db1: "http://10.89.0.11:2379" }`. */
  readonly members: { readonly [host: string]: string };
  /** In place of them, where it is somebody else's. */
  readonly existing?: ExistingPlace & Pick<DcsAddress, "endpoints">;
}

/** What resources say of a DCS: those of earlier versions name no kind, and so do those of that kind still. */
export type Unnamed<Named extends { readonly kind: DcsKind }> = Omit<Named, "kind"> & {
  readonly kind?: DcsKind;
};

/** What stands under a key. */
interface FoundKey {
  readonly value: string;
  /** Of its last change. */
  readonly revision: string;
}

/** A member of a DCS as it tells itself. */
export interface DcsMember {
  /** Whether it takes part in a majority. */
  readonly healthy: boolean;
  /** Whether it leads the others: an election takes place when it goes. */
  readonly leader: boolean;
  /** Bytes of its database, what is free in it included. */
  readonly databaseBytes?: number;
  /** Bytes of it that are in use; the rest is given back by a defragmentation. */
  readonly usedBytes?: number;
  /** Bytes that the database may have: beyond them the alarm NOSPACE is raised. */
  readonly quotaBytes?: number;
  /** Alarms of the whole DCS: `["NOSPACE"]` forbids all writes. */
  readonly alarms: readonly string[];
}

/** Who belongs to a DCS, and so counts for its majority. */
interface Membership {
  /** Same for all members, and for the life of the DCS. */
  readonly clusterId: string;
  readonly members: readonly ListedMember[];
}

/** A member, as the membership has it. */
export interface ListedMember {
  /** As the DCS's own program takes it: `8211f1d0f64f3269`. */
  readonly id: string;
  /** Empty while it has been added and has not started yet. */
  readonly name: string;
  readonly peerUrl: string;
  /** Empty while it has never started. */
  readonly clientUrl: string;
  /** Whether it is told everything and counts for no majority yet. */
  readonly learner: boolean;
}

/**
 * What pgherd asks of a DCS, as scripts for any host that may reach it. Each may be run again: what it has done before,
 * though nobody has heard of it, is no error. One that gets no answer ends with the code `NO_ANSWER`.
 */
export interface Dcs extends DcsKeys, DcsMembers {
  readonly kind: DcsKind;
  /** Whether a host asks by an agent of its own, so that one on which none runs cannot ask. */
  readonly byOwnAgent: boolean;
  /** How that agent does on a host; none where hosts ask those who vote. */
  readonly agentProbe?: () => Probe<AgentCondition>;
  /** None where whoever starts comes in by itself. */
  readonly joining?: DcsJoining;
  /** None where it needs none. */
  readonly upkeep?: DcsUpkeep;
  /** None where who votes stays a voter however long he is away. */
  readonly forgetting?: DcsForgetting;
  /** None where it asks nobody who he is. */
  readonly rights?: DcsRights;
  /** None where those who use it have none of their own. */
  readonly secrets?: DcsSecrets;
  /** How a cluster stands with one that somebody else runs. */
  standingProbe(cluster: string): Probe<Standing>;
}

/**
 * How a host's own agent does: it is away, or those who vote refuse the host's token, or none of them that leads answers the
 * agent.
 */
export type AgentCondition = "serving" | "away" | "refused" | "cut off";

/**
 * Keys below the prefix (`demo/config`), all of which are Patroni's, or stand beside them: `src/dcs/patroni.ts` names them.
 */
export interface DcsKeys {
  /** `undefined` if there is no such key. */
  keyProbe(key: string): Probe<FoundKey | undefined>;
  /** Prints a key's value; nothing if there is no such key. */
  printKey(key: string): string;
  setKey(key: string, value: string): string;
  /** Sets a key where there is none; what another has set stays. */
  setAbsentKey(key: string, value: string): string;
  /**
   * Sets a key, but only if nobody has changed it since it was read: a lost race is an error, not an overwritten value.
   * @param revision of the value that was read; "0" if there was none.
   * @param others keys that are set in the same moment, whatever they hold.
   */
  changeKey(
    key: string,
    value: string,
    revision: string,
    others?: { readonly [key: string]: string },
  ): string;
  /** Deletes a key, unless somebody has changed it since it was read. */
  deleteKey(key: string, revision: string): string;
  /** Deletes at one moment all keys that begin so. @param except one of them that stays. */
  deleteKeys(prefix: string, except?: string): string;
}

/** Those who vote. */
export interface DcsMembers {
  /** The unit that a member runs as, and the user that it runs as and whose its data is. */
  readonly unit: string;
  readonly user: string;
  /** The endpoints whose members take part in a majority. Never fails: one that does not answer does not. */
  healthyProbe(): Probe<string[]>;
  /** The member behind this URL: nobody else has to answer. */
  memberProbe(url: string): Probe<DcsMember>;
  membershipProbe(): Probe<Membership>;
  /**
   * Whether a member has data of its own in this directory. One that has none is at its very beginning, whatever else lies
   * there.
   */
  hasDataProbe(dataDirectory: string): Probe<boolean>;
  /** What one types on a host to take out a member that nobody knows. */
  removeByHand(id: string): string;
  /** What one types to bring back a DCS that has lost its majority for good. */
  readonly recoverByHand: string;
}

/** How members come and go. */
export interface DcsJoining {
  /** What a member without data may have left behind, in its way when it starts again. */
  remains(dataDirectory: string): string;
  /** Adds a member that is not started yet, as a learner. */
  addMember(name: string, peerUrl: string): string;
  /** Has a learner count for the majority. It is refused until he has caught up. */
  promoteMember(id: string): string;
  removeMember(id: string): string;
  /** Has another one lead. Only the endpoint of the one that leads takes it. */
  handOver(id: string): string;
  /**
   * The file that tells a member without data how to begin at its next start: with whom, by their peer URLs, itself among them,
   * and whether the others are there already. Without it no such member starts.
   */
  beginning(
    peers: { readonly [name: string]: string },
    state: "new" | "existing",
  ): { readonly path: string; readonly content: string };
}

/** Whether voters who are away for some seconds are taken out, with all leases that are held from their hosts. */
export interface DcsForgetting {
  probe(): Probe<boolean>;
  /** Has it do so no more. Run where one votes. */
  end(): string;
}

/** Who may do what, by name: a policy with rules of the DCS's own language, and a token that it is given to. */
export interface DcsRights {
  /** Asked where one votes. Nothing is known while nobody leads. */
  probe(names: readonly string[]): Probe<{ readonly [name: string]: Right } | undefined>;
  /** Has a name's policy say so, and its token have it. */
  grant(name: string, rules: string, found: Right): string;
}

/** What there is of a name. */
export interface Right {
  readonly rules?: string;
  /** As the DCS knows them: `08f6ae4b-…`. The token as the one with the secret that the host has for it. */
  readonly policy?: string;
  readonly token?: string;
  /** Whether the token has the policy, and no other. */
  readonly given: boolean;
}

/** How new secrets take the place of those in use, without a moment in which one is refused that somebody uses. */
export interface DcsSecrets {
  /** Whether a voter's file at this path holds secrets that must be taken before anybody uses them. */
  isShared(path: string): boolean;
  /**
   * Has the DCS take the secrets in these contents beside those in use, by what stands on the host so far. Prints `taken`, or
   * `unknown` where the DCS does not know the host's own.
   */
  take(files: { readonly [path: string]: string }): string;
  /** Tokens of before that are still let in; `undefined` where the present ones are not known. */
  formerProbe(names: readonly string[]): Probe<readonly FormerToken[] | undefined>;
  drop(former: readonly FormerToken[]): string;
}

/** A token whose secret is not the present one. */
export interface FormerToken {
  readonly name: string;
  /** As the DCS knows it. */
  readonly id: string;
}

/** What its databases need from time to time. */
export interface DcsUpkeep {
  /** Forgets all values but the present ones, and waits until their place in the database is free. */
  compact(): string;
  /** Writes the database of the member behind this URL anew without what is free in it. It answers nobody meanwhile. */
  defragment(url: string): string;
  /** Takes all alarms back. The one of a database that is still full comes back with the next write. */
  takeAlarmsBack(): string;
  /** What one types to see the alarms, and all keys. */
  readonly listAlarmsByHand: string;
  readonly listKeysByHand: string;
}

const KINDS: { readonly [kind in DcsKind]: (place: DcsPlace) => Dcs } = {
  etcd: etcdAt,
  consul: consulAt,
};

/** The DCS behind these endpoints. */
export function dcsAt({ kind = UNNAMED, ...place }: Unnamed<DcsAddress>): Dcs {
  const dcs = KINDS[kind](place);
  return { ...dcs, ...keysBelow(prefixOf(place.existing), dcs) };
}

/** The DCS of these members. */
export function dcsOf(dcs: Unnamed<DcsVoters>): Dcs {
  return dcsAt({ kind: dcs.kind, ...placeOf(dcs) });
}
