import { configurationHash } from "../configuration-hash";
import { filesProbe } from "../facts/files";
import { unitProbe } from "../facts/systemd";
import type { PreflightInputs, ServiceFilesInput } from "../resources/inputs/preflight";
import { ROLES } from "../roles/roles";
import type { Context } from "./context";

/**
 * What becomes of the daemons whose files change, all hosts of one daemon in one sentence: this is said before anything else
 * of a preview. What else a service differs in, its own resource tells.
 */
export async function foreseeServices(
  context: Context,
  { services = {} }: Pick<PreflightInputs, "services">,
): Promise<string[]> {
  const sentences = Object.entries(services).map(async ([daemon, hosts]) => {
    const role = ROLES.find(({ name }) => name === daemon);
    if (!role) return [];
    const becomes = Object.entries(hosts).map(async ([host, files]) => {
      const [unit, differs] = await Promise.all([
        context.host(host).observe(unitProbe(role.unit)),
        differ(context, host, files),
      ]);
      if (unit.active !== "active") return { host, effect: "starts" };
      return differs ? { host, effect: role.effect } : undefined;
    });
    const changed = (await Promise.all(becomes)).filter((one) => one !== undefined);
    for (const { host } of changed) context.told.add(serviceName(daemon, [host]));
    return [...new Set(changed.map(({ effect }) => effect))].map((effect) => {
      const on = changed.filter((one) => one.effect === effect).map(({ host }) => host);
      return `${serviceName(daemon, on)} ${effect}`;
    });
  });
  return (await Promise.all(sentences)).flat();
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
