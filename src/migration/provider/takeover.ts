import { systemIdentifierProbe } from "../../facts/patroni";
import { currentSettingsProbe } from "../../facts/settings";
import { restartPostgres } from "../../operations/patroni";
import { takeBackBeforeRestart } from "../operations/adoption";
import type { TakeoverInputs } from "../inputs/adoption";
import { rulesCarried } from "../../provider/carried-rules";
import { untilLed } from "../../provider/cluster-view";
import type { Context } from "../../provider/context";
import type { ResourceType } from "../../provider/resource";
import { waitFor } from "../../operations/wait";
import { journalctl } from "../../roles/journal";

/** Patroni waits for a lease of an earlier run to end, and for its next round. */
const LEADER_SECONDS = 120;
const RESTART_SECONDS = 900;
const NEXT = `${journalctl("patroni")} on the member.`;

/** The server led by Patroni: from here on there is one who says who leads. */
export const takeover: ResourceType<TakeoverInputs> = {
  identity: ["cluster", "host"],
  id: ({ cluster, host }) => `${cluster}/${host}/takeover`,

  async apply(context, urn, inputs) {
    const progress = (message: string) => context.progress(urn, message);
    const members = { [inputs.host]: inputs.endpoint };
    const leader = await untilLed(
      context,
      urn,
      { members },
      { expected: "Patroni to lead the server", seconds: LEADER_SECONDS, next: NEXT },
    );
    if (leader === inputs.host && (await waiting(context, inputs)).length > 0) {
      const settings = Object.keys(inputs.needed).join(", ");
      context.info(urn, `restarting PostgreSQL on ${leader}: ${settings}`);
      // What ALTER SYSTEM has set would win over Patroni's file, and then wait for a second restart.
      const script = [takeBackBeforeRestart(inputs.port), restartPostgres(inputs.endpoint)];
      await context.host(leader).change("restarting PostgreSQL", script.join("\n"), {
        timeoutSeconds: RESTART_SECONDS,
      });
      await waitFor<true>(
        async () => {
          const left = await waiting(context, inputs);
          return left.length === 0 ? { done: true } : { missing: left.join(", ") };
        },
        { expected: "the new settings", seconds: LEADER_SECONDS, next: NEXT, progress },
      );
    }
    // A server that another member follows by now is looked at with all of them.
    if (leader === inputs.host)
      await rulesCarried(context, [inputs.host], inputs.port, inputs.carried);
    return look(context, inputs);
  },

  async read(_context, _inputs, known) {
    // Who leads later is the cluster's affair.
    return known;
  },

  async foresee() {
    return [];
  },

  async delete() {},
};

/** Settings that are not yet what replicas need. */
async function waiting(
  context: Context,
  { host, port, needed }: TakeoverInputs,
): Promise<string[]> {
  const names = Object.keys(needed);
  if (names.length === 0) return [];
  const current = await context.host(host).observe(currentSettingsProbe(port, names));
  return names.filter((name) => current[name] !== needed[name]);
}

async function look(context: Context, inputs: TakeoverInputs): Promise<TakeoverInputs> {
  const systemIdentifier = await context
    .host(inputs.host)
    .observe(systemIdentifierProbe(inputs.endpoint));
  return { ...inputs, systemIdentifier: systemIdentifier ?? "" };
}
