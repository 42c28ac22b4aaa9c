import { HealthError } from "../errors";
import type { Places } from "../facts/places";
import { serverRunsProbe } from "../facts/postgres";
import type { Context } from "./context";

/**
 * Sees to it that no former member's PostgreSQL outlives its Patroni.
 * @param places where each has its data; nothing where Patroni was never set up, and whatever runs there is not the cluster's.
 * @throws HealthError naming those that do, and how they are stopped.
 */
export async function demandEnded(
  context: Context,
  port: number,
  places: { readonly [host: string]: Places | undefined },
): Promise<void> {
  const probe = serverRunsProbe(port);
  const asked = Object.entries(places).map(async ([name, found]) => {
    if (!found || !(await context.host(name).observe(probe))) return [];
    const { binDirectory, dataDirectory } = found;
    return [
      `${name}: expected PostgreSQL to have ended with Patroni, found it running on port ${port} still, as it does where Patroni was stopped while the cluster was paused. ` +
        `Stop it on ${name}: sudo -u postgres ${binDirectory}/pg_ctl -D ${dataDirectory} -m fast stop; then pulumi up again.`,
    ];
  });
  const reasons = (await Promise.all(asked)).flat();
  if (reasons.length > 0) throw new HealthError(reasons.join("\n"));
}
