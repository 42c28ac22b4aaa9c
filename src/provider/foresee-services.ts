import { configurationHash } from "../configuration-hash";
import { filesProbe } from "../facts/files";
import { unitProbe } from "../facts/systemd";
import type { PreflightInputs, ServiceFilesInput } from "../resources/inputs/preflight";
import type { MoveInput } from "../resources/inputs/move";
import { kindOf } from "../roles/dcs";
import { patroni } from "../roles/patroni";
import { ROLES } from "../roles/roles";
import type { Context } from "./context";
import { whoMoves } from "./moving-dcs";

/**
 * What becomes of the daemons whose files change, all hosts of one daemon in one sentence: this is said before anything else
 * of a preview. What else a service differs in, its own resource tells.
 */
export async function foreseeServices(
  context: Context,
  { services = {}, cluster, move }: Pick<PreflightInputs, "services" | "cluster" | "move">,
): Promise<string[]> {
  const moving = move ? await whoMoves(context, move, cluster) : [];
  const sentences = Object.entries(services).map(async ([daemon, hosts]) => {
    const role = ROLES.find(({ name }) => name === daemon);
    if (!role) return [];
    const becomes = Object.entries(hosts).map(async ([host, files]) => {
      const [unit, differs] = await Promise.all([
        context.host(host).observe(unitProbe(role.unit)),
        differ(context, host, files),
      ]);
      if (unit.active !== "active") return { host, effect: "starts" };
      const moves = role === patroni && moving.includes(host);
      return differs
        ? {
            host,
            effect: moves
              ? `begins anew there, the primary's last: PostgreSQL goes on`
              : role.effect,
          }
        : undefined;
    });
    const changed = (await Promise.all(becomes)).filter((one) => one !== undefined);
    for (const { host } of changed) context.told.add(serviceName(daemon, [host]));
    return [...new Set(changed.map(({ effect }) => effect))].map((effect) => {
      const on = changed.filter((one) => one.effect === effect).map(({ host }) => host);
      return `${serviceName(daemon, on)} ${effect}`;
    });
  });
  const told = (await Promise.all(sentences)).flat();
  return move && moving.length > 0 ? [describeMove(cluster, move), ...told] : told;
}

/** What a move means for those who use the cluster; what it does to each Patroni is told of that. */
function describeMove(cluster: string, { from, to }: MoveInput): string {
  const named = (dcs: MoveInput["to"]) =>
    dcs.existing
      ? `the ${kindOf(dcs.kind)} at ${dcs.endpoints.join(", ")}`
      : `${kindOf(dcs.kind)} of its own`;
  return (
    `${cluster} moves from ${named(from)} to ${named(to)}: it is paused meanwhile, so that nobody takes over. ` +
    "Clients write on, no session ends, and whoever leads leads on"
  );
}

/** e.g. `haproxy on lb1, lb2` */
export function serviceName(daemon: string, hosts: readonly string[]): string {
  return `${daemon} on ${hosts.join(", ")}`;
}

async function differ(
  context: Context,
  host: string,
  { paths, hash }: ServiceFilesInput,
): Promise<boolean> {
  const found = await context.host(host).observe(filesProbe(paths));
  return configurationHash(found, paths) !== hash;
}
