import { keptSourceProbe } from "../facts/adoption";
import type { Source } from "../inputs/source";
import type { Context } from "../../provider/context";

/** What was found of the old server before the first change, as one of these hosts has kept it; nothing before that. */
export async function keptSource(
  context: Context,
  hosts: readonly string[],
): Promise<Source | undefined> {
  for (const host of hosts) {
    const kept = await context.host(host).observe(keptSourceProbe);
    if (kept) return kept;
  }
  return undefined;
}
