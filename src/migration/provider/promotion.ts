import { HealthError, PgherdError } from "../../errors";
import { entrancesProbe } from "../../facts/haproxy";
import { preparedTransactionsProbe, promotedProbe, replayedProbe } from "../facts/standby";
import { createRoles } from "../operations/adoption";
import { patchConfiguration } from "../../operations/patroni";
import { allowWrites, openDatabases, releaseWal, stopWrites } from "../operations/standby";
import { waitFor } from "../../operations/wait";
import type { PromotionInputs } from "../inputs/standby";
import { untilLed } from "../../provider/cluster-view";
import type { Context } from "../../provider/context";
import type { ResourceType } from "../../provider/resource";
import { isPromoted, untilFollowing } from "./standby-view";
import { journalctl } from "../../roles/journal";

/** Sessions are put out at once; who is still there after this comes back again and again. */
const END_SECONDS = 10;

/** What was written last is on its way already, and a promotion takes about a second. */
const REPLAY_SECONDS = 20;

const PROMOTE_SECONDS = 120;

/** What may be left to replay when writes are stopped: so much takes no time. */
const LITTLE_LAG = 2 ** 20;

const NEXT = `${journalctl("patroni")} on the members; then run the same again.`;

/** The cluster in the old server's place: nobody writes there any more, and everything that was written is here. */
export const promotion: ResourceType<PromotionInputs> = {
  identity: ["cluster", "host"],
  derived: ["source"],
  id: ({ cluster, host }) => `${cluster}/${host}/promotion`,

  async apply(context, urn, inputs) {
    const began = await takePlace(context, urn, inputs);
    const leader = await untilLed(context, urn, inputs, {
      expected: "the cluster to take writes",
      seconds: PROMOTE_SECONDS,
      next: NEXT,
    });
    if (!(await context.host(leader).observe(promotedProbe(inputs.memberPort, REPLAY_SECONDS)))) {
      throw new HealthError(
        `${leader}: expected it to take writes within ${REPLAY_SECONDS} s, got a standby still.`,
        `Next: ${NEXT}`,
      );
    }
    await context.host(leader).change("opening the databases", openDatabases(inputs.memberPort));
    await untilEntered(context, urn, inputs, leader);
    if (began) {
      const seconds = ((Date.now() - began) / 1000).toFixed(1);
      context.info(urn, `${leader} took the place of ${inputs.host}; no writes for ${seconds} s`);
    }
    await finish(context, urn, inputs, leader);
    return inputs;
  },

  async read(_context, _inputs, known) {
    return known;
  },

  async delete() {},
};

/** @returns when writes were stopped; nothing if an earlier run has come as far as the promotion. */
async function takePlace(
  context: Context,
  urn: string,
  inputs: PromotionInputs,
): Promise<number | undefined> {
  if (await isPromoted(context, inputs)) return undefined;
  const { host, members, memberPort } = inputs;
  const leader = await untilFollowing(context, urn, inputs, LITTLE_LAG);
  const prepared = await context.host(host).observe(preparedTransactionsProbe(inputs));
  if (prepared > 0) {
    throw new PgherdError(
      `${host}: expected no prepared transaction, found ${prepared}.`,
      "End each with COMMIT PREPARED or ROLLBACK PREPARED; pg_prepared_xacts lists them. Then run the same again.",
    );
  }
  const began = Date.now();
  context.info(urn, `${host} takes no writes any more`);
  try {
    const stopped = await context
      .host(host)
      .change("stopping writes", stopWrites(inputs, END_SECONDS));
    const position = stopped.trim().split("\n").at(-1) ?? "";
    if (
      !(await context.host(leader).observe(replayedProbe(memberPort, position, REPLAY_SECONDS)))
    ) {
      throw new HealthError(
        `${leader}: expected all WAL up to ${position} within ${REPLAY_SECONDS} s, got less.`,
        `Next: ${NEXT}`,
      );
    }
  } catch (error) {
    await context.host(host).change("allowing writes again", allowWrites(inputs));
    context.warn(urn, `${host} takes writes again: nothing has changed`);
    throw error;
  }
  const endpoint = members[leader] ?? "";
  await context
    .host(leader)
    .change("promoting", patchConfiguration(endpoint, { standby_cluster: null }));
  return began;
}

/** Waits until the load balancers lead to the new leader. */
async function untilEntered(
  context: Context,
  urn: string,
  { balancers }: PromotionInputs,
  leader: string,
): Promise<void> {
  await waitFor<true>(
    async () => {
      const seen = await Promise.all(
        balancers.hosts.map((host) =>
          context.host(host).observe(entrancesProbe(balancers.statsPort)),
        ),
      );
      const late = balancers.hosts.filter((_, i) => !seen[i]?.primary?.includes(leader));
      return late.length === 0 ? { done: true } : { missing: `not on ${late.join(", ")}` };
    },
    {
      expected: `the entry point to lead to ${leader}`,
      seconds: PROMOTE_SECONDS,
      next: `${journalctl("haproxy")} on the load balancers.`,
      progress: (message) => context.progress(urn, message),
    },
  );
}

/** What can wait until clients work again. */
async function finish(
  context: Context,
  urn: string,
  inputs: PromotionInputs,
  leader: string,
): Promise<void> {
  const { host, source, roles, memberPort, slot } = inputs;
  const there = { source: { ...source, port: memberPort }, superuser: roles.superuser, roles };
  await context
    .host(leader)
    .change("creating the roles that Patroni connects with", createRoles(there));
  try {
    await context.host(host).change("releasing the WAL", releaseWal(inputs, slot));
  } catch (error) {
    context.warn(urn, `${(error as Error).message} Drop it there: it keeps WAL for nobody.`);
  }
}
