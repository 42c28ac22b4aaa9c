import { loadedIfUpProbe } from "../facts/loaded";
import { placesProbe } from "../facts/places";
import { trialProbe } from "../facts/trial";
import { alteredToCome, takenBack } from "../operations/loaded";
import type { Cluster } from "./cluster";

/**
 * Why a member's PostgreSQL would not come back from a restart, in the words of a server that was tried: by what ALTER SYSTEM has
 * set on it since its start. Nothing where it has set nothing, where the server starts so, and where it does not answer.
 */
export async function alteredProblems(cluster: Cluster, name: string): Promise<string[]> {
  const host = cluster.host(name);
  const found = await host.observe(loadedIfUpProbe(cluster.plan.patroni.port));
  const settings = found ? alteredToCome(found) : {};
  const names = Object.keys(settings);
  if (names.length === 0) return [];
  const { dataDirectory, binDirectory } = await host.observe(placesProbe);
  const version = Number(/\/(\d+)\/bin$/.exec(binDirectory)?.[1] ?? 0);
  const trial = { version, binDirectory, dataDirectory, settings, hba: [], extensions: [] };
  const said = (await host.observe(trialProbe(trial)))
    .map((line) => line.replace(/\/tmp\/pgherd-trial\.\w+\/data\//g, ""))
    .filter((line) => !/^configuration file ".*" contains errors$/.test(line));
  if (said.length === 0) return [];
  return [
    `${name}: expected PostgreSQL to start with what ALTER SYSTEM has set there (${names.join(", ")}), it does not: ${said.join("; ")}. ` +
      `It goes on as it is, and is not restarted. Take it back there: ${takenBack(names)}`,
  ];
}
