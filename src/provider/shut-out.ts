import { admissionProbe, SESSION_LIBRARIES } from "../facts/admission";
import { askServers } from "./cluster-view";
import type { Context } from "./context";

/** The members of a cluster, and the port of their servers. */
interface Members {
  /** Endpoint of Patroni's REST API by host. */
  readonly members: { readonly [host: string]: string };
  readonly port: number;
}

/** Whether settings can end every session as it begins. @param changed by lower-case name. */
export function touchesSessions(changed: { readonly [name: string]: unknown }): boolean {
  return SESSION_LIBRARIES.some((name) => Object.hasOwn(changed, name));
}

/** Why members that run let nobody in, each in its server's words; without those that do. */
export async function shutOut(
  context: Context,
  cluster: Members,
): Promise<{ readonly [member: string]: string }> {
  const said = await askServers(context, cluster, admissionProbe(cluster.port));
  return Object.fromEntries(
    Object.entries(said).flatMap(([name, reason]) =>
      reason === undefined ? [] : [[name, reason]],
    ),
  );
}

/** The same in sentences. */
export function describeShutOut(shut: { readonly [member: string]: string }): string[] {
  return Object.entries(shut).map(
    ([name, reason]) => `${name}: PostgreSQL lets nobody in: ${reason}`,
  );
}
