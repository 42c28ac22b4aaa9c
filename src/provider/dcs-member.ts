import { ConnectError, HealthError } from "../errors";
import { dcsAt, dcsOf, type DcsVoters, type ListedMember, type Unnamed } from "../dcs/dcs";
import { unitProbe } from "../facts/systemd";
import { moveBesideWithTime } from "../operations/directories";
import { writeFiles } from "../operations/files";
import { retireUnit } from "../operations/units";
import type { DcsMemberInput } from "../resources/inputs/service";
import type { Context } from "./context";
import { type MemberFiles, takeSecrets } from "./dcs-secrets";
import { waitFor } from "../operations/wait";

/** What surrounds a change of one member of the DCS, so that this keeps its majority. */
export interface DcsCare {
  /** Comes before everything else in the script of the change; empty for nothing. */
  readonly before: string;
  /** Waits until the member is healthy again, if there is a cluster in which it can be. */
  after(): Promise<void>;
}

/** What is known of the change, and of the member before it. */
interface DcsChange {
  readonly cluster: string;
  readonly host: string;
  /** Whether it restarts a daemon that runs. */
  readonly restarts: boolean;
  /** Whether this member has had data in an earlier run. */
  readonly hadData: boolean;
  readonly files: MemberFiles;
}

/** Snapshot and log of a new member come from the leader; an election takes seconds. */
const HEALTHY_SECONDS = 90;

/**
 * Looks whether a change of this member is safe now, and lets a member that has lost its disk join anew. In a first
 * deployment, where there is no cluster yet, it does nothing.
 * @throws HealthError if the change would stop all writes, or damage what the other members hold.
 */
export async function careForDcs(
  context: Context,
  urn: string,
  own: DcsMemberInput,
  change: DcsChange,
): Promise<DcsCare> {
  const { host, restarts, hadData } = change;
  const here = context.host(host);
  const [healthy, hasData] = await Promise.all([
    healthyMembers(context, own, host),
    here.observe(dcsOf(own).hasDataProbe(own.dataDirectory)),
  ]);
  const isHealthy = (name: string) => healthy.includes(own.members[name] ?? "");
  if (healthy.length === 0) {
    if (hadData && !hasData) await refuseToBeginAnew(context, own, change);
    return { before: "", async after() {} };
  }
  const names = Object.keys(own.members).filter(isHealthy);
  await takeSecrets(context, urn, own, change.files, [
    ...names.filter((name) => name === host),
    ...names.filter((name) => name !== host),
  ]);
  if (restarts && isHealthy(host)) await untilOthersHealthy(context, urn, own, host);
  const before =
    isHealthy(host) || hasData ? "" : await joinAnew(context, urn, own, change, healthy);
  return { before, after: () => untilHealthy(context, urn, own, host) };
}

/**
 * A member without data must not take up the life of the one that was there: raft counts on what that one had promised.
 * It gets a new id. That a member is healthy means that a majority answers it; so the others can spare this one.
 * Killed at any point, the next run goes on: a member that was added and has not started yet is used.
 * @returns the script that tells it to join, for its next start.
 */
async function joinAnew(
  context: Context,
  urn: string,
  own: DcsMemberInput,
  { cluster, host }: DcsChange,
  healthy: readonly string[],
): Promise<string> {
  const [via = ""] = Object.keys(own.members).filter((name) =>
    healthy.includes(own.members[name] ?? ""),
  );
  const dcs = dcsAt({ kind: own.kind, endpoints: healthy });
  const { members } = await context.host(via).observe(dcs.membershipProbe());
  refuseStrangers(cluster, own, members);
  const { joining } = dcs;
  if (!joining) return "";
  const lost = members.find(({ name }) => name === host);
  // One of the first members that has not started yet: it begins as the others did.
  if (lost && lost.clientUrl === "") return "";
  context.progress(urn, `joining ${dcs.kind} anew`);
  // Between the removal and the new configuration it must not start, not even after a reboot.
  await context
    .host(host)
    .change(
      `keeping ${dcs.kind} from starting until it may join`,
      `${retireUnit(dcs.unit)}\n${moveBesideWithTime(dcs.user, joining.remains(own.dataDirectory), "without-log")}`,
    );
  const added = members.some(({ name, peerUrl }) => name === "" && peerUrl === own.peerUrl);
  if (!added) {
    await context
      .host(via)
      .change(
        `adding ${host} to ${dcs.kind} anew`,
        [
          ...(lost ? [joining.removeMember(lost.id)] : []),
          joining.addMember(host, own.peerUrl),
        ].join("\n"),
      );
  }
  return writeFiles({
    [joining.joinOrder.path]: {
      content: joining.joinOrder.content,
      mode: "0644",
      owner: "root",
      group: "root",
    },
  });
}

/**
 * Client URLs of the healthy members, as a host sees them, or those that have an agent where it may have none. One that is only starting takes connections and answers none,
 * so it is not asked: a first deployment does not wait for it.
 */
async function healthyMembers(
  context: Context,
  own: DcsMemberInput,
  host: string,
): Promise<string[]> {
  const { byOwnAgent, unit } = dcsOf(own);
  const asked = Object.keys(own.members).map(async (name): Promise<string[]> => {
    try {
      const { active } = await context.host(name).observe(unitProbe(unit));
      return active === "active" ? [name] : [];
    } catch (error) {
      // That it cannot be reached shows by its own resources.
      if (error instanceof ConnectError) return [];
      throw error;
    }
  });
  const started = (await Promise.all(asked)).flat();
  const endpoints = started.map((name) => own.members[name] ?? "");
  for (const name of started.length === 0 ? [] : byOwnAgent ? started : [host]) {
    const healthy = await context
      .host(name)
      .observe(dcsAt({ kind: own.kind, endpoints }).healthyProbe());
    if (healthy.length > 0) return healthy;
  }
  return [];
}

/** Seconds that the other members have to become healthy: some may have been started just now. */
const OTHERS_SECONDS = 30;

/** A restart while another one is away could leave no majority. */
async function untilOthersHealthy(
  context: Context,
  urn: string,
  own: DcsMemberInput,
  host: string,
): Promise<void> {
  const { kind, unit } = dcsOf(own);
  await waitFor(
    async () => {
      const healthy = await healthyMembers(context, own, host);
      const down = Object.entries(own.members).filter(
        ([name, url]) => name !== host && !healthy.includes(url),
      );
      const names = down.map(([name]) => name).join(", ");
      return down.length === 0
        ? { done: true }
        : { missing: `${names} not healthy, and a restart on ${host} could stop all writes` };
    },
    {
      expected: `all other members of ${kind} to be healthy before ${host} restarts its own`,
      seconds: OTHERS_SECONDS,
      next: `bring ${kind} up there first: ${journal(unit)}.`,
      progress: (message) => context.progress(urn, message),
    },
  );
}

/** Where all hosts are blank there is nothing to lose, and a new cluster begins. */
async function refuseToBeginAnew(
  context: Context,
  own: DcsMemberInput,
  { cluster, host }: DcsChange,
): Promise<void> {
  const { dataDirectory, members } = own;
  const { kind, unit, hasDataProbe, recoverByHand } = dcsOf(own);
  // Looked at before any of them begins: later the data may be of this run.
  const data = await context.once(`${cluster}: ${kind}'s data`, () =>
    Promise.all(
      Object.keys(members).map(async (name): Promise<[string, boolean]> => [
        name,
        await context.host(name).observe(hasDataProbe(dataDirectory)),
      ]),
    ),
  );
  const holders = data.filter(([, has]) => has).map(([name]) => name);
  if (holders.length === 0) return;
  throw new HealthError(
    `${host}: expected ${kind}'s data in ${dataDirectory}, got none, while ${holders.join(", ")} still have theirs and are not healthy. ` +
      "It can only join anew when a majority of the others works.",
    `Bring ${kind} up on ${holders.join(", ")} first (${journal(unit)}). If the majority is lost for good, ${recoverByHand}.`,
  );
}

async function untilHealthy(context: Context, urn: string, own: DcsMemberInput, host: string) {
  const dcs = dcsAt({ kind: own.kind, endpoints: [own.members[host] ?? ""] });
  await waitFor(
    async () => {
      const healthy = await context.host(host).observe(dcs.healthyProbe());
      return healthy.length > 0 ? { done: true } : { missing: "it is not yet" };
    },
    {
      expected: `${dcs.kind} on ${host} to be healthy`,
      seconds: HEALTHY_SECONDS,
      next: `${journal(dcs.unit)}; can it reach the other members on their peer port?`,
      progress: (message) => context.progress(urn, message),
    },
  );
}

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

function journal(unit: string): string {
  return `journalctl -u ${unit.replace(/\.service$/, "")} -n 50`;
}

function addressIn(url: string): string {
  return new URL(url).hostname;
}
