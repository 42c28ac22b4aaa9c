import { ConnectError, HealthError } from "../errors";
import { healthPagesProbe, logProbe, membershipProbe, type EtcdMember } from "../facts/etcd";
import { unitProbe } from "../facts/systemd";
import { addMember, JOIN_FILE, removeMember, setAsideRemains } from "../operations/etcd";
import { writeFiles } from "../operations/files";
import { retireUnit } from "../operations/units";
import type { EtcdMemberInput } from "../resources/inputs/service";
import type { Context } from "./context";
import { waitFor } from "../operations/wait";

/** What surrounds a change of one etcd member, so that the cluster keeps its majority. */
export interface EtcdCare {
  /** Comes before everything else in the script of the change; empty for nothing. */
  readonly before: string;
  /** Waits until the member is healthy again, if there is a cluster in which it can be. */
  after(): Promise<void>;
}

/** What is known of the change, and of the member before it. */
export interface EtcdChange {
  readonly cluster: string;
  readonly host: string;
  readonly unit: string;
  /** Whether it restarts a daemon that runs. */
  readonly restarts: boolean;
  /** Whether this member has had a log in an earlier run. */
  readonly hadLog: boolean;
}

/** Snapshot and log of a new member come from the leader; an election takes seconds. */
const HEALTHY_SECONDS = 90;

/**
 * Looks whether a change of this member is safe now, and lets a member that has lost its disk join anew. In a first
 * deployment, where there is no cluster yet, it does nothing.
 * @throws HealthError if the change would stop all writes, or damage what the other members hold.
 */
export async function careForEtcd(
  context: Context,
  urn: string,
  etcd: EtcdMemberInput,
  change: EtcdChange,
): Promise<EtcdCare> {
  const { host, unit, restarts, hadLog } = change;
  const here = context.host(host);
  const [healthy, hasLog] = await Promise.all([
    healthyMembers(context, etcd, host, unit),
    here.observe(logProbe(etcd.dataDirectory)),
  ]);
  const isHealthy = (name: string) => healthy.includes(etcd.members[name] ?? "");
  if (healthy.length === 0) {
    if (hadLog && !hasLog) await refuseToBeginAnew(context, etcd, change);
    return { before: "", async after() {} };
  }
  if (restarts && isHealthy(host)) await untilOthersHealthy(context, urn, etcd, host, unit);
  const before =
    isHealthy(host) || hasLog ? "" : await joinAnew(context, urn, etcd, change, healthy);
  return { before, after: () => untilHealthy(context, urn, etcd, host) };
}

/**
 * A member without a log must not take up the life of the one that was there: raft counts on what that one had promised.
 * It gets a new id. That a member is healthy means that a majority answers it; so the others can spare this one.
 * Killed at any point, the next run goes on: a member that was added and has not started yet is used.
 * @returns the script that tells etcd to join, for its next start.
 */
async function joinAnew(
  context: Context,
  urn: string,
  etcd: EtcdMemberInput,
  { cluster, host, unit }: EtcdChange,
  healthy: readonly string[],
): Promise<string> {
  const [via = ""] = Object.keys(etcd.members).filter((name) =>
    healthy.includes(etcd.members[name] ?? ""),
  );
  const { members } = await context.host(via).observe(membershipProbe(healthy));
  refuseStrangers(cluster, etcd.members, members);
  const lost = members.find(({ name }) => name === host);
  // One of the first members that has not started yet: it begins as the others did.
  if (lost && lost.clientUrl === "") return "";
  context.progress(urn, "joining etcd anew");
  // Between the removal and the new configuration it must not start, not even after a reboot.
  await context
    .host(host)
    .change(
      "keeping etcd from starting until it may join",
      `${retireUnit(unit)}\n${setAsideRemains(etcd.dataDirectory)}`,
    );
  const added = members.some(({ name, peerUrl }) => name === "" && peerUrl === etcd.peerUrl);
  if (!added) {
    await context
      .host(via)
      .change(
        `adding ${host} to etcd anew`,
        [
          ...(lost ? [removeMember(healthy, lost.id)] : []),
          addMember(healthy, host, etcd.peerUrl),
        ].join("\n"),
      );
  }
  return writeFiles({
    [JOIN_FILE]: {
      content: "ETCD_INITIAL_CLUSTER_STATE=existing\n",
      mode: "0644",
      owner: "root",
      group: "root",
    },
  });
}

/**
 * Client URLs of the healthy members, as a host sees them. One that is only starting takes connections and answers none,
 * so it is not asked: a first deployment does not wait for it.
 */
async function healthyMembers(
  context: Context,
  { members }: EtcdMemberInput,
  host: string,
  unit: string,
): Promise<string[]> {
  const asked = Object.entries(members).map(async ([name, url]): Promise<string[]> => {
    try {
      const { active } = await context.host(name).observe(unitProbe(unit));
      return active === "active" ? [url] : [];
    } catch (error) {
      // That it cannot be reached shows by its own resources.
      if (error instanceof ConnectError) return [];
      throw error;
    }
  });
  const started = (await Promise.all(asked)).flat();
  return started.length > 0 ? context.host(host).observe(healthPagesProbe(started)) : [];
}

/** Seconds that the other members have to become healthy: some may have been started just now. */
const OTHERS_SECONDS = 30;

/** A restart while another one is away could leave no majority. */
async function untilOthersHealthy(
  context: Context,
  urn: string,
  etcd: EtcdMemberInput,
  host: string,
  unit: string,
): Promise<void> {
  await waitFor(
    async () => {
      const healthy = await healthyMembers(context, etcd, host, unit);
      const down = Object.entries(etcd.members).filter(
        ([name, url]) => name !== host && !healthy.includes(url),
      );
      const names = down.map(([name]) => name).join(", ");
      return down.length === 0
        ? { done: true }
        : { missing: `${names} not healthy, and a restart on ${host} could stop all writes` };
    },
    {
      expected: `all other members of etcd to be healthy before ${host} restarts its own`,
      seconds: OTHERS_SECONDS,
      next: "bring etcd up there first: journalctl -u etcd -n 50.",
      progress: (message) => context.progress(urn, message),
    },
  );
}

/** Where all hosts are blank there is nothing to lose, and a new cluster begins. */
async function refuseToBeginAnew(
  context: Context,
  { dataDirectory, members }: EtcdMemberInput,
  { cluster, host }: EtcdChange,
): Promise<void> {
  // Looked at before any of them begins: later a log may be one of this run.
  const logs = await context.once(`${cluster}: etcd's logs`, () =>
    Promise.all(
      Object.keys(members).map(async (name): Promise<[string, boolean]> => [
        name,
        await context.host(name).observe(logProbe(dataDirectory)),
      ]),
    ),
  );
  const holders = logs.filter(([, hasLog]) => hasLog).map(([name]) => name);
  if (holders.length === 0) return;
  throw new HealthError(
    `${host}: expected etcd's log in ${dataDirectory}, got none, while ${holders.join(", ")} still have theirs and are not healthy. ` +
      "It can only join anew when a majority of the others works.",
    `Bring etcd up on ${holders.join(", ")} first (journalctl -u etcd -n 50). If the majority is lost for good, restore a snapshot there: etcdutl snapshot restore.`,
  );
}

async function untilHealthy(context: Context, urn: string, etcd: EtcdMemberInput, host: string) {
  const url = etcd.members[host] ?? "";
  await waitFor(
    async () => {
      const healthy = await context.host(host).observe(healthPagesProbe([url]));
      return healthy.length > 0 ? { done: true } : { missing: "it is not yet" };
    },
    {
      expected: `etcd on ${host} to be healthy`,
      seconds: HEALTHY_SECONDS,
      next: "journalctl -u etcd -n 50; can it reach the other members on etcd's peer port?",
      progress: (message) => context.progress(urn, message),
    },
  );
}

/**
 * @param wanted client URL by host.
 * @throws HealthError if the membership has a member that is none of these: it counts for the majority.
 */
export function refuseStrangers(
  cluster: string,
  wanted: { readonly [host: string]: string },
  members: readonly EtcdMember[],
): void {
  const addresses = Object.values(wanted).map(addressIn);
  const strangers = members.filter(({ name, peerUrl }) =>
    name === "" ? !addresses.includes(addressIn(peerUrl)) : !Object.hasOwn(wanted, name),
  );
  if (strangers.length === 0) return;
  const named = strangers.map(
    ({ id, name, peerUrl }) => `${name || "one that has not started yet"} (${id}, ${peerUrl})`,
  );
  const hosts = Object.keys(wanted);
  throw new HealthError(
    `${cluster}: expected etcd's members to be ${hosts.join(", ")}, got also ${named.join(", ")}. ` +
      "Each of them counts for the majority without which nothing is written.",
    `If nobody needs it, on ${hosts[0]}: sudo etcdctl member remove ${strangers[0]?.id}`,
  );
}

function addressIn(url: string): string {
  return new URL(url).hostname;
}
