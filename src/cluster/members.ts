import { HealthError } from "../errors";
import { fullDisksProbe } from "../facts/full-disk";
import { loadedIfUpProbe } from "../facts/loaded";
import { leaderOf } from "../facts/member-state";
import { memberStatusProbe } from "../facts/patroni";
import { askEach, isOutOfReach } from "../operations/ask";
import { describeFull } from "../operations/full-disk";
import { loadErrors } from "../operations/loaded";
import { reinitialize, reloadMember, setPause } from "../operations/patroni";
import { describeStuck, Standstill, WHILE_COPIED } from "../operations/stuck";
import { waitFor } from "../operations/wait";
import {
  insist,
  memberOf,
  observe,
  refused,
  requireMember,
  Refusal,
  spokesman,
  unable,
  type Cluster,
  type Intent,
} from "./cluster";
import { endFirstSegment } from "./end-segment";
import { moveProblem } from "./moving";
import { untilBack } from "./restart";
import { hopeless, untilSeen } from "./until-seen";

/** A copy takes as long as the network needs for the whole database. */
const COPY_SECONDS = 24 * 3600;
/** Members look into the DCS once a round. */
const PAUSE_SECONDS = 120;

/**
 * Makes a member read its files again. Nothing restarts.
 * @throws HealthError if its server does not answer then, or cannot load its files.
 */
export async function performReload(cluster: Cluster, name: string): Promise<void> {
  requireMember(cluster, name);
  const { members, port } = cluster.plan.patroni;
  const host = cluster.host(name);
  await host.change("reloading", reloadMember(members[name] ?? ""));
  const found = await host.observe(loadedIfUpProbe(port));
  const problems = found
    ? loadErrors(name, found)
    : [`${name}: Patroni was told to read its files again, and PostgreSQL does not answer`];
  if (problems.length > 0) throw new HealthError(problems.join("\n"), "Next: pgherd status.");
}

/** What it means to copy a member's data anew. */
export async function considerReinit(cluster: Cluster, name: string): Promise<Intent> {
  requireMember(cluster, name);
  const status = await observe(cluster);
  const member = memberOf(status, name);
  const leader = leaderOf(status);
  if (leader === undefined) return refused("No member leads that could be copied.");
  if (leader === name) return refused(`${name} leads: its data is what the others are copies of.`);
  const away = await unable(cluster, member, "it does the copying");
  if (away.length > 0) return refused(...away);
  return {
    refusals: [],
    objections: [],
    effects: [
      `All data of PostgreSQL on ${name} is deleted and copied anew from the cluster; until then ${name} takes no reads and no lead.`,
      // The deleted data may be what has filled it.
      ...describeFull(name, await cluster.host(name).observe(fullDisksProbe), false).map(
        (full) => `${full} The copy has the room of what is deleted there, and no more.`,
      ),
    ],
  };
}

/** A copy from a backup goes on with the archive's whole segments; a leader that is copied itself needs none. */
async function wholeSegments(cluster: Cluster): Promise<void> {
  if (!cluster.plan.backup) return;
  const leader = leaderOf(await observe(cluster));
  if (leader === undefined) return;
  try {
    await endFirstSegment(cluster, leader);
  } catch (error) {
    // A leader that only this machine cannot reach: mostly there is nothing to end.
    if (!isOutOfReach(error)) throw error;
  }
}

/** Deletes a replica's data and copies it anew. Ends when it streams again. */
export async function performReinit(
  cluster: Cluster,
  name: string,
): Promise<{ readonly seconds: number }> {
  insist(`A new copy on ${name}`, await considerReinit(cluster, name), false, "");
  const start = Date.now();
  const endpoint = cluster.plan.patroni.members[name] ?? "";
  await wholeSegments(cluster);
  await cluster.host(name).change("copying anew", reinitialize(endpoint));
  // Patroni answers as soon as it has begun; the old server may be up for a moment still.
  await untilSeen(cluster, `${name} to begin its copy`, 60, (status) => {
    const { condition, unasked, upstream } = memberOf(status, name);
    // Who cannot be asked for a moment has not begun by that.
    if (unasked || condition === "silent" || condition === "unknown") return false;
    return condition !== "serving" || upstream === undefined;
  });
  const standstill = new Standstill(WHILE_COPIED);
  await untilBack(cluster, name, COPY_SECONDS, (status) => {
    const stuck = standstill.see([name], status);
    return hopeless(stuck.length === 0 ? undefined : describeStuck(stuck));
  });
  return { seconds: (Date.now() - start) / 1000 };
}

/** Leaves the cluster to itself, or takes it in hand again. Ends when every member that answers knows. */
export async function performPause(cluster: Cluster, paused: boolean): Promise<void> {
  const status = await observe(cluster);
  const answering = status.members.filter(
    ({ condition, unasked }) => condition !== "silent" && !unasked,
  );
  const by = spokesman(status, leaderOf(status));
  if (by === undefined) throw new Refusal("The change", ["No member's Patroni answers."]);
  if (!paused) {
    const problem = await moveProblem(cluster);
    if (problem.length > 0) throw new Refusal("The end of the pause", problem);
  }
  const { members } = cluster.plan.patroni;
  await cluster
    .host(by)
    .change(paused ? "pausing" : "resuming", setPause(members[by] ?? "", paused));
  await waitFor<true>(
    async () => {
      const names = answering.map(({ name }) => name);
      const { answers } = await askEach(cluster, names, (host, name) =>
        host.observe(memberStatusProbe(members[name] ?? "")),
      );
      const late = names.filter((name) => answers[name]?.paused !== paused);
      return late.length === 0 ? { done: true } : { missing: `not yet ${late.join(", ")}` };
    },
    {
      expected: "all members to know",
      seconds: PAUSE_SECONDS,
      next: "pgherd status.",
      progress: (message) => cluster.progress(message),
    },
  );
}
