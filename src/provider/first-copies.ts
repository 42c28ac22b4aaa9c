import { divergedCopyProbe } from "../facts/places";
import { isFollowing, viewOf } from "./cluster-view";
import type { Context } from "./context";
import { patroni } from "../roles/patroni";

/** Patroni stops PostgreSQL, which may have much to write, and asks etcd before it starts. */
const RESTART_SECONDS = 900;

/**
 * Has members begin their first copy anew that has become a database of its own before it could follow: a directory or a
 * locale was not there, and Patroni has recovered it as a primary that has crashed. No waiting helps it. Before Patroni
 * starts such a copy is set aside.
 * @param members their Patroni's endpoints by name.
 */
export async function beginCopiesAnew(
  context: Context,
  urn: string,
  cluster: { readonly members: { readonly [name: string]: string } },
): Promise<void> {
  const view = await viewOf(context, cluster);
  // A Patroni that is paused leaves PostgreSQL running, and starts nothing.
  if (!view || view.paused) return;
  const away = Object.keys(cluster.members).filter(
    (name) =>
      !isFollowing(view, name) && view.members.find((one) => one.name === name)?.role !== "leader",
  );
  await Promise.all(
    away.map(async (name) => {
      if (!(await context.host(name).observe(divergedCopyProbe))) return;
      context.info(urn, `${name}: its first copy never followed; it is made anew`);
      await context
        .host(name)
        .change("beginning the first copy anew", `systemctl restart ${patroni.unit}`, {
          timeoutSeconds: RESTART_SECONDS,
        });
    }),
  );
}
