import { settingsProbe } from "../facts/settings";
import { reloadMember } from "../operations/patroni";
import { clearMarks, endMarks } from "../operations/settings";
import { askServers, statusesOf } from "./cluster-view";
import type { Context } from "./context";

/** Seconds for Patroni to come to its next round (loop_wait); nothing hangs on it. */
const COMPARED_SECONDS = 30;

/**
 * Takes back the marks that settings which came and went have left on servers: Patroni shows each as a restart that is due. Each
 * process of a server has marks of its own, which go when it reads files that say what it runs with: Patroni's session too
 * has to, in its next round.
 */
export async function withoutMarks(
  context: Context,
  cluster: { readonly members: { readonly [host: string]: string }; readonly port: number },
): Promise<void> {
  const { members, port } = cluster;
  const servers = await askServers(context, cluster, settingsProbe(port));
  const marked = Object.entries(servers).flatMap(([name, running]) =>
    running && running.unchanged.length > 0 ? [{ name, settings: running.unchanged }] : [],
  );
  if (marked.length === 0) return;
  try {
    await Promise.all(
      marked.map(async ({ name }) => {
        const host = context.host(name);
        await host.change("taking back marks of settings", clearMarks(port));
        await host.change("having Patroni compare settings", reloadMember(members[name] ?? ""));
      }),
    );
    const end = Date.now() + COMPARED_SECONDS * 1000;
    while (Date.now() < end) {
      const statuses = await statusesOf(context, cluster);
      if (marked.every(({ name }) => !statuses[name]?.pendingRestart)) break;
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  } finally {
    await Promise.all(
      marked.map(({ name, settings }) =>
        context.host(name).change("taking back ALTER SYSTEM", endMarks(port, settings)),
      ),
    );
  }
}
