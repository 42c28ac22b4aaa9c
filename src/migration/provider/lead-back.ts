import { CommandError, PgherdError } from "../../errors";
import { chooseLeader, standing } from "../../cluster/candidates";
import { changeLead } from "../../cluster/hand-over";
import { describeMembers, isSynchronous, type ClusterView } from "../../facts/patroni";
import { patchConfiguration } from "../../operations/patroni";
import { waitFor } from "../../operations/wait";
import { untilLed, viewOf } from "../../provider/cluster-view";
import type { Context } from "../../provider/context";
import { journalctl } from "../../roles/journal";
import type { RollbackInputs } from "../inputs/adoption";

/** Seconds for each step of a rollback that Patroni has to take. */
export const STEP_SECONDS = 120;
export const NEXT = `${journalctl("patroni")} on the members; then run the same again.`;

/**
 * Makes the server the leader, if another member leads by now: only so it has every row.
 * @throws PgherdError with what speaks against it, if Patroni does not hand the lead to it.
 */
export async function lead(context: Context, urn: string, inputs: RollbackInputs): Promise<void> {
  const { host, members } = inputs;
  const leader = await untilLed(context, urn, inputs, {
    expected: "a leader",
    seconds: STEP_SECONDS,
    next: NEXT,
  });
  if (leader === host) return;
  await confirmCommits(context, urn, inputs);
  context.info(urn, `switching over from ${leader} to ${host}`);
  const cluster = {
    plan: { patroni: { members } },
    host: (name: string) => context.host(name),
    progress: (message: string) => context.progress(urn, message),
  };
  // Whether the other one follows does not matter: it is taken out of service.
  try {
    await changeLead(cluster, { from: leader, to: host, via: leader, witness: host });
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    // What the error says is true whether anybody answers now or not.
    const view = await viewOf(context, inputs).catch(() => undefined);
    throw new PgherdError([error.message, ...whyNotLed(view, host)].join("\n"), NEXT, {
      cause: error,
    });
  }
}

/** What of the server keeps it from the lead, by the rules of every switchover. */
function whyNotLed(view: ClusterView | undefined, host: string): string[] {
  if (!view) return [];
  const { members, neverLead = [] } = view;
  const rules = {
    neverLead,
    synchronous: members.some(isSynchronous),
    // How far it may be behind Patroni knows.
    maximumLag: Infinity,
  };
  const found = chooseLeader(rules, "handover", members);
  const unfit = found.unable.find(({ member }) => member.name === host);
  if (unfit) return unfit.reasons.map((reason) => `${reason}.`);
  return found.able.filter(({ name }) => name === host).map((one) => `${host}: ${standing(one)}.`);
}

/** Has the server confirm commits where others do: Patroni hands the lead to none that does not (patroni/ha.py). */
async function confirmCommits(
  context: Context,
  urn: string,
  inputs: RollbackInputs,
): Promise<void> {
  const { host, members } = inputs;
  const view = await viewOf(context, inputs);
  if (!view?.members.some(isSynchronous) || isConfirming(view, host)) return;
  await context.host(host).change(
    "having all replicas confirm commits",
    patchConfiguration(members[host] ?? "", {
      synchronous_node_count: Object.keys(members).length - 1,
    }),
  );
  await waitFor<true>(
    async () => {
      const seen = await viewOf(context, inputs);
      return isConfirming(seen, host) ? { done: true } : { missing: describeMembers(seen) };
    },
    {
      expected: `${host} to confirm commits`,
      seconds: STEP_SECONDS,
      next: NEXT,
      progress: (message) => context.progress(urn, message),
    },
  );
}

function isConfirming(view: ClusterView | undefined, name: string): boolean {
  return view?.members.some((member) => member.name === name && isSynchronous(member)) ?? false;
}
