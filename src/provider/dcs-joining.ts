import { CommandError } from "../errors";
import { type Dcs, dcsAt, dcsOf, type ListedMember } from "../dcs/dcs";
import { moveBesideWithTime } from "../operations/directories";
import { writeFiles } from "../operations/files";
import { retireUnit } from "../operations/units";
import { waitFor } from "../operations/wait";
import type { DcsMemberInput } from "../resources/inputs/service";
import type { Context } from "./context";
import { isFormer } from "./former-in";
import { refuseStrangers } from "./strangers";

// How a member comes to a DCS that runs.

/** Snapshot and log of a new member come from the leader. */
const LEARNED_SECONDS = 90;

/**
 * A member without data must not take up the life of the one that was there: raft counts on what that one had promised.
 * It gets a new id. That a member is healthy means that a majority answers it; so the others can spare this one.
 * Killed at any point, the next run goes on: a member that was added and has not started yet is used.
 * @returns the script that tells it to join, for its next start.
 */
export async function joinAnew(
  context: Context,
  urn: string,
  own: DcsMemberInput,
  { cluster, host }: { readonly cluster: string; readonly host: string },
  healthy: readonly string[],
  hasData: boolean,
): Promise<string> {
  const all = allOf(own);
  const [via = ""] = Object.keys(all).filter((name) => healthy.includes(all[name] ?? ""));
  const dcs = dcsAt({ kind: own.kind, endpoints: healthy });
  const { joining } = dcs;
  if (hasData && !joining) return "";
  const look = () => context.host(via).observe(dcs.membershipProbe());
  const { members } = await look();
  refuseStrangers(cluster, { ...own, members: all }, members);
  if (!joining) return "";
  const lost = members.find(({ name }) => name === host);
  const isAdded = ({ name, peerUrl }: ListedMember) => name === "" && peerUrl === own.peerUrl;
  // Data of a member that is none any more would never start.
  if (hasData && (lost || members.some(isAdded))) return "";
  // One of the first members that has not started yet: it begins as the others did.
  if (lost && lost.clientUrl === "") return beginning(own, "new", peersOf(own));
  context.progress(urn, `joining ${dcs.kind}`);
  // Between the removal and the new configuration it must not start, not even after a reboot.
  await context
    .host(host)
    .change(
      `keeping ${dcs.kind} from starting until it may join`,
      `${retireUnit(dcs.unit)}\n${moveBesideWithTime(dcs.user, joining.remains(own.dataDirectory), hasData ? "left" : "without-log")}`,
    );
  // With one away nobody is added: so first go those who leave and answer nobody.
  const voters = { ...own, former: own.joins ?? {} };
  const leaving = members.filter((one) => isFormer(one, voters));
  const { healthyProbe } = dcsAt({ kind: own.kind, endpoints: Object.values(all) });
  const there = leaving.length > 0 ? await context.host(via).observe(healthyProbe()) : [];
  // There is room for one learner only: one that has not begun is added again when its turn comes.
  const isInTheWay = (one: ListedMember) =>
    one.learner && (one.name === "" ? !isAdded(one) : leaving.includes(one));
  const gone = members.filter(
    (one) =>
      one.name === host ||
      isInTheWay(one) ||
      (leaving.includes(one) && !there.includes(one.clientUrl)),
  );
  for (const { id } of gone) {
    await untilDone(
      context,
      urn,
      via,
      `removing a member of ${dcs.kind}`,
      joining.removeMember(id),
    );
  }
  if (!members.some(isAdded)) {
    await untilNobodyLearns(context, urn, own, via, dcs);
    const adding = joining.addMember(host, own.peerUrl);
    await untilDone(context, urn, via, `adding ${host} to ${dcs.kind}`, adding);
  }
  const now = (await look()).members.map((one): [string, string] => [
    isAdded(one) ? host : one.name,
    one.peerUrl,
  ]);
  return beginning(own, "existing", Object.fromEntries(now));
}

/** One that an earlier run has begun with votes first. */
async function untilNobodyLearns(
  context: Context,
  urn: string,
  own: DcsMemberInput,
  via: string,
  { kind, unit, membershipProbe }: Dcs,
): Promise<void> {
  await waitFor(
    async () => {
      await promoteLearners(context, own, via);
      const { members } = await context.host(via).observe(membershipProbe());
      const learners = members.flatMap(({ name, learner }) => (learner ? [name] : []));
      return learners.length === 0
        ? { done: true }
        : { missing: `${learners.join(", ")} has not caught up` };
    },
    {
      expected: `nobody to be learning, since ${kind} teaches one at a time`,
      seconds: LEARNED_SECONDS,
      next: `journalctl -u ${unit} -n 50 there.`,
      progress: (message) => context.progress(urn, message),
    },
  );
}

/** Who votes, and who did before. */
export function allOf({ joins, members }: Pick<DcsMemberInput, "joins" | "members">): {
  readonly [host: string]: string;
} {
  return { ...joins, ...members };
}

/** Where the others of a new DCS reach each, by host: all have the same ports. */
export function peersOf({ members, peerUrl }: DcsMemberInput): { [host: string]: string } {
  return Object.fromEntries(
    Object.entries(members).map(([name, clientUrl]) => {
      const url = new URL(peerUrl);
      url.hostname = new URL(clientUrl).hostname;
      return [name, url.href.replace(/\/$/, "")];
    }),
  );
}

/** The script that tells a member how to begin; empty where its kind needs none. */
export function beginning(
  own: DcsMemberInput,
  state: "new" | "existing",
  peers: { readonly [host: string]: string },
): string {
  const file = dcsOf(own).joining?.beginning(peers, state);
  if (!file) return "";
  const { path, content } = file;
  return writeFiles({ [path]: { content, mode: "0644", owner: "root", group: "root" } });
}

/** Members that have just met count as connected after some seconds (five: etcd/server/etcdserver/server.go, `HealthInterval`). */
const CONNECTED_SECONDS = 30;

/** Has the DCS change who belongs to it. It refuses as long as it does not know all to be well. */
export async function untilDone(
  context: Context,
  urn: string,
  via: string,
  what: string,
  script: string,
): Promise<void> {
  await waitFor(
    async () => {
      try {
        await context.host(via).change(what, script);
        return { done: true };
      } catch (error) {
        if (!(error instanceof CommandError) || error.code === null) throw error;
        return { missing: error.message };
      }
    },
    {
      expected: `${what} to be taken`,
      seconds: CONNECTED_SECONDS,
      next: "bring the members up that are not healthy; pulumi up goes on from here.",
      progress: (message) => context.progress(urn, message),
    },
  );
}

/** Has those of the stack's members who have caught up count for the majority. @param via asks. */
export async function promoteLearners(
  context: Context,
  voters: Pick<DcsMemberInput, "kind" | "members" | "joins">,
  via: string,
): Promise<void> {
  if (!dcsOf(voters).joining) return;
  const all = Object.values(allOf(voters));
  const host = context.host(via);
  const endpoints = await host.observe(dcsAt({ kind: voters.kind, endpoints: all }).healthyProbe());
  if (endpoints.length === 0) return;
  const { joining, membershipProbe } = dcsAt({ kind: voters.kind, endpoints });
  const { members } = await host.observe(membershipProbe());
  for (const { id, name, learner } of members) {
    if (!learner || !Object.hasOwn(voters.members, name)) continue;
    try {
      await host.change(`having ${name} vote`, joining?.promoteMember(id) ?? "");
    } catch (error) {
      // One that has not caught up is refused, and asked again.
      if (!(error instanceof CommandError) || error.code === null) throw error;
    }
  }
}
