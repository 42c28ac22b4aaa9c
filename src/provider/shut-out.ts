import { admissionProbe, SESSION_LIBRARIES } from "../facts/admission";
import { describeShutOut } from "../operations/loaded";
import type { Look } from "../operations/wait";
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

/** Why members that run let nobody in, each in its server's words; without those that do. Patroni may not know how they are. */
export async function shutOut(
  context: Context,
  { members, port }: Members,
): Promise<{ readonly [member: string]: string }> {
  const said = await Promise.all(
    Object.keys(members).map(async (name): Promise<[string, string | undefined]> => [
      name,
      await context.host(name).observe(admissionProbe(port)),
    ]),
  );
  return Object.fromEntries(
    said.flatMap(([name, reason]) => (reason === undefined ? [] : [[name, reason]])),
  );
}

/** For so long somebody may have taken all connections, say. */
const PATIENCE_MS = 15_000;

/** Remembers between looks since when members have let nobody in: then waiting helps no more. */
export class Closed {
  private readonly since = new Map<string, number>();

  async see(context: Context, cluster: Members): Promise<Look<never> | undefined> {
    const shut = Object.entries(await shutOut(context, cluster));
    for (const name of this.since.keys())
      if (!shut.some(([other]) => other === name)) this.since.delete(name);
    for (const [name] of shut) this.since.set(name, this.since.get(name) ?? Date.now());
    const late = shut.find(
      ([name]) => Date.now() - (this.since.get(name) ?? Infinity) >= PATIENCE_MS,
    );
    if (late)
      return { hopeless: describeShutOut(...late), next: "mend that, then run pulumi up again." };
    const [first] = shut;
    return first && { missing: `${first[0]}: PostgreSQL lets nobody in: ${first[1]}` };
  }
}

/** The same in clauses. */
export function clausesOf(shut: { readonly [member: string]: string }): string[] {
  return Object.entries(shut).map(
    ([name, reason]) => `${name}: PostgreSQL lets nobody in: ${reason}`,
  );
}
