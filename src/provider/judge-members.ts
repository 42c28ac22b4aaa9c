import { dirname } from "node:path";
import { whyNotJoin, whyNotLeave } from "../cluster/departure";
import { askEach } from "../operations/ask";
import { CommandError } from "../errors";
import { forksProbe } from "../facts/forks";
import { placesProbe } from "../facts/places";
import type { Host } from "../host/host";
import type { UpdateReportInputs } from "../resources/inputs/patroni-cluster";
import { viewOf } from "./cluster-view";
import type { Context } from "./context";
import { changeOf } from "./membership";

/**
 * Why members cannot come or go now, by what the cluster is at this moment; none if they can.
 * @param before of the last run.
 */
export async function judgeMembers(
  context: Context,
  inputs: UpdateReportInputs,
  before: Partial<UpdateReportInputs>,
): Promise<string[]> {
  const now = Object.keys(inputs.members);
  const old = Object.keys(before.members ?? inputs.members);
  const { joining, leaving, staying } = changeOf(now, old);
  const reasons = whyNotJoin(joining, staying, inputs.configuration);
  // That nobody stays, the preflight tells.
  if (leaving.length === 0 || staying.length === 0) return reasons;
  const { answers, silent } = await askEach(context, leaving, forksOn);
  const gone = Object.keys(silent).filter((name) => context.isRemoved(name));
  const lost = Object.entries(silent).filter(([name]) => !gone.includes(name));
  const members = Object.fromEntries(
    Object.entries({ ...before.members, ...inputs.members }).filter(
      ([name]) => staying.includes(name) || (leaving.includes(name) && !silent[name]),
    ),
  );
  const forks = Object.entries(answers).filter(([, names]) => names.length > 0);
  return [
    ...reasons,
    ...forks.map(
      ([name, names]) =>
        `${name}: expected no fork on the host of a member that leaves, found ${names.join(", ")}. Remove ${names.length > 1 ? "them" : "it"} first (pgherd fork drop, or out of pgherd:cluster.forks).`,
    ),
    ...lost.map(([name, error]) => unreachable(name, error)),
    ...whyNotLeave({
      ...{ view: await viewOf(context, { members }), leaving, staying, gone },
      rules: { neverLead: inputs.neverLead, maximumLag: inputs.rolling.maximumLag },
      configuration: inputs.configuration,
    }),
  ];
}

/** Names of the forks on a member's host; none where Patroni was never set up. */
async function forksOn(host: Host, name: string): Promise<string[]> {
  const places = await host.observe(placesProbe).catch((error: unknown) => {
    if (error instanceof CommandError && error.code !== null) return undefined;
    throw error;
  });
  if (!places) return [];
  const forks = await host.observe(forksProbe(name, `${dirname(places.dataDirectory)}/forks`));
  return forks.map((fork) => fork.name);
}

/** That a member that is to leave cannot be asked, and what to say if it never will be again. */
export function unreachable(name: string, { message }: Error): string {
  return (
    `${name}: expected to be reached, so that it leaves the cluster in order, got: ${message.split("\n")[0]} ` +
    "Out of reach is not gone: it may run where only this machine does not come. Bring it back; or, if it is gone for good, say so: " +
    `pgherd:cluster.removed: [${name}] (docs/members.md).`
  );
}
