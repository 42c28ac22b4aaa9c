import { ConnectError, HealthError } from "../errors";
import { dcsAt, dcsOf } from "../dcs/dcs";
import { unitProbe } from "../facts/systemd";
import { waitFor } from "../operations/wait";
import type { DcsMemberInput } from "../resources/inputs/service";
import type { Context } from "./context";
import { allOf, beginning, joinAnew, peersOf, promoteLearners } from "./dcs-joining";
import { type MemberFiles, takeSecrets } from "./dcs-secrets";

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
  const isHealthy = (name: string) => healthy.includes(allOf(own)[name] ?? "");
  if (healthy.length === 0) {
    if (hasData) return { before: "", async after() {} };
    if (own.joins || hadData) await refuseToBeginAnew(context, own, change);
    return { before: beginning(own, "new", peersOf(own)), async after() {} };
  }
  const names = Object.keys(own.members).filter(isHealthy);
  await takeSecrets(context, urn, own, change.files, [
    ...names.filter((name) => name === host),
    ...names.filter((name) => name !== host),
  ]);
  if (restarts && isHealthy(host)) await untilOthersHealthy(context, urn, own, host);
  const before = isHealthy(host) ? "" : await joinAnew(context, urn, own, change, healthy, hasData);
  return { before, after: () => untilHealthy(context, urn, own, host) };
}

/** Client URLs of the healthy members; of those who voted before only where none of them is there yet. */
async function healthyMembers(
  context: Context,
  own: DcsMemberInput,
  host: string,
): Promise<string[]> {
  const healthy = await healthyAmong(context, own, host, own.members);
  return healthy.length > 0 || !own.joins ? healthy : healthyAmong(context, own, host, allOf(own));
}

/**
 * As a host sees them, or those that have an agent where it may have none. One that is only starting takes connections and
 * answers none, so it is not asked: a first deployment does not wait for it.
 */
async function healthyAmong(
  context: Context,
  own: DcsMemberInput,
  host: string,
  members: DcsMemberInput["members"],
): Promise<string[]> {
  const { byOwnAgent, unit } = dcsOf(own);
  const asked = Object.keys(members).map(async (name): Promise<string[]> => {
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
  const endpoints = started.map((name) => members[name] ?? "");
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
      const down = await othersDown(context, own, host);
      const names = down.join(", ");
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

/** Those of the others that belong to the DCS and take no part in a majority. Who is yet to come counts for none. */
async function othersDown(context: Context, own: DcsMemberInput, host: string): Promise<string[]> {
  const healthy = await healthyMembers(context, own, host);
  const down = Object.keys(own.members).filter(
    (name) => name !== host && !healthy.includes(own.members[name] ?? ""),
  );
  if (down.length === 0 || healthy.length === 0) return down;
  const dcs = dcsAt({ kind: own.kind, endpoints: healthy });
  if (!dcs.joining) return down;
  const { members } = await context.host(host).observe(dcs.membershipProbe());
  return down.filter((one) => members.some(({ name, learner }) => name === one && !learner));
}

/** Where all hosts are blank there is nothing to lose, and a new cluster begins. */
async function refuseToBeginAnew(
  context: Context,
  own: DcsMemberInput,
  { cluster, host }: DcsChange,
): Promise<void> {
  const { dataDirectory } = own;
  const { kind, unit, hasDataProbe, recoverByHand } = dcsOf(own);
  // Looked at before any of them begins: later the data may be of this run.
  const data = await context.once(`${cluster}: ${kind}'s data`, () =>
    Promise.all(
      Object.keys(allOf(own)).map(async (name): Promise<[string, boolean]> => [
        name,
        await context.host(name).observe(hasDataProbe(dataDirectory)),
      ]),
    ),
  );
  const holders = data.filter(([, has]) => has).map(([name]) => name);
  if (holders.length === 0) return;
  throw new HealthError(
    `${host}: expected ${kind}'s data in ${dataDirectory}, got none, while ${holders.join(", ")} still have theirs and are not healthy. ` +
      "It can only join when a majority of the others works.",
    `Bring ${kind} up on ${holders.join(", ")} first (${journal(unit)}). If the majority is lost for good, ${recoverByHand}.`,
  );
}

async function untilHealthy(context: Context, urn: string, own: DcsMemberInput, host: string) {
  const dcs = dcsAt({ kind: own.kind, endpoints: [own.members[host] ?? ""] });
  await waitFor(
    async () => {
      const healthy = await context.host(host).observe(dcs.healthyProbe());
      if (healthy.length > 0) return { done: true };
      await promoteLearners(context, own, host);
      return { missing: "it is not yet" };
    },
    {
      expected: `${dcs.kind} on ${host} to be healthy`,
      seconds: HEALTHY_SECONDS,
      next: `${journal(dcs.unit)}; can it reach the other members on their peer port?`,
      progress: (message) => context.progress(urn, message),
    },
  );
}

function journal(unit: string): string {
  return `journalctl -u ${unit.replace(/\.service$/, "")} -n 50`;
}
