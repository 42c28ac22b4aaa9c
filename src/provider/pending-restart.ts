import type { MemberStatus } from "../facts/patroni";
import { settingsProbe } from "../facts/settings";
import {
  COSMETIC,
  lowered,
  otherwisePending,
  waitingFor,
  wantedSettings,
} from "../operations/settings";
import type { PatroniClusterInputs } from "../resources/inputs/patroni-cluster";
import { askPostgres } from "./cluster-view";
import type { Context } from "./context";

/** Members whose PostgreSQL must be restarted for something that matters. */
export async function pendingRestarts(
  context: Context,
  { port, configuration }: Pick<PatroniClusterInputs, "port" | "configuration">,
  statuses: { readonly [member: string]: MemberStatus | undefined },
): Promise<string[]> {
  const wanted = wantedSettings(configuration);
  const waiting = Object.keys(statuses).filter((name) => statuses[name]?.pendingRestart);
  const matters = await Promise.all(
    waiting.map(async (name) => {
      const running = await askPostgres(context, name, settingsProbe(port));
      if (!running) return true;
      const names = [...lowered(wanted, running), ...otherwisePending(wanted, running)];
      // Where PostgreSQL itself waits for nothing, Patroni has a reason that only it knows.
      if (names.length === 0)
        return running.pending.length === 0 || waitingFor(wanted, running).length > 0;
      return names.some((setting) => !COSMETIC.includes(setting));
    }),
  );
  return waiting.filter((_, i) => matters[i]);
}
