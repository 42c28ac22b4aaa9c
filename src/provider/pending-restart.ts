import type { MemberStatus } from "../facts/patroni";
import { settingsProbe } from "../facts/settings";
import {
  COSMETIC,
  FOR_REPLAY,
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
      if (names.length === 0) {
        const told = Object.keys(statuses[name]?.pendingSettings ?? {});
        return (
          waitingFor(wanted, running).length > 0 ||
          // Where PostgreSQL itself waits for nothing, Patroni has a reason that only it knows, unless it tells (3.3 and later).
          running.pending.length === 0 ||
          told.some(
            (one) =>
              !running.pending.includes(one) && !FOR_REPLAY.test(one) && !COSMETIC.includes(one),
          )
        );
      }
      return names.some((setting) => !COSMETIC.includes(setting));
    }),
  );
  return waiting.filter((_, i) => matters[i]);
}
