import { hostProbe } from "../facts/host";
import { loadedIfUpProbe, type LoadedFiles } from "../facts/loaded";
import { placesProbe } from "../facts/places";
import { closedSocketDirectoriesProbe } from "../facts/socket-directories";
import { hugePagesProbe, trialProbe } from "../facts/trial";
import { alteredToCome, alteredWaiting, blindingProblems, takenBack } from "../operations/loaded";
import { tooLarge, wantsHugePages, withoutHugePages } from "../operations/memory-to-start";
import type { Cluster } from "./cluster";

type Asked = Pick<ReturnType<Cluster["host"]>, "observe">;
type Altered = { readonly [name: string]: string };

/**
 * Why a member's PostgreSQL would not come back from a restart, or its Patroni be blind then: in the words of a server that was
 * tried, by what ALTER SYSTEM has set on it since its start; and by what Patroni's new sessions would have. Nothing where neither
 * speaks against it, and where the server does not answer.
 * Memory, huge pages and folders of sockets are counted and looked at instead: beside the server that runs there is room for
 * none of them twice.
 */
export async function alteredProblems(cluster: Cluster, name: string): Promise<string[]> {
  const host = cluster.host(name);
  const found = await host.observe(loadedIfUpProbe(cluster.plan.patroni.port));
  if (!found) return [];
  return [
    ...blindingProblems(found),
    ...(await problemsOf(host, name, found, alteredToCome(found))),
  ];
}

/**
 * What comes into force on a member with its next restart that nobody has asked for in the stack, and why it would not come back
 * from that: in sentences for a preview.
 * @param wanted settings of the stack: what ALTER SYSTEM says of these is taken back before.
 */
export async function foreseeAltered(
  host: Asked,
  name: string,
  port: number,
  wanted: Altered,
): Promise<string[]> {
  const found = await host.observe(loadedIfUpProbe(port));
  if (!found) return [];
  const settings = Object.fromEntries(
    Object.entries(alteredToCome(found)).filter(([setting]) => !Object.hasOwn(wanted, setting)),
  );
  return [
    ...Object.entries(settings).map(
      ([setting, value]) =>
        `${name}: ${setting} becomes ${JSON.stringify(value)} with that restart, by ALTER SYSTEM there (postgresql.auto.conf)`,
    ),
    ...(await problemsOf(host, name, { ...found, altered: settings }, settings)),
  ];
}

async function problemsOf(
  host: Asked,
  name: string,
  found: LoadedFiles,
  settings: Altered,
): Promise<string[]> {
  const { unix_socket_directories: sockets } = alteredWaiting(found);
  const names = [
    ...Object.keys(settings),
    ...(sockets === undefined ? [] : ["unix_socket_directories"]),
  ];
  if (names.length === 0) return [];
  const { dataDirectory, binDirectory } = await host.observe(placesProbe);
  const version = found.version ?? Number(/\/(\d+)\/bin$/.exec(binDirectory)?.[1] ?? 0);
  const trial = { version, binDirectory, dataDirectory, settings, hba: [], extensions: [] };
  const tried = Object.keys(settings).length === 0 ? [] : await host.observe(trialProbe(trial));
  const closed =
    sockets === undefined
      ? []
      : await host.observe(closedSocketDirectoriesProbe(dataDirectory, sockets));
  const said = [...tried, ...closed]
    .map((line) => line.replace(/\/tmp\/pgherd-trial\.\w+\/data\//g, ""))
    .filter((line) => !/^configuration file ".*" contains errors$/.test(line));
  const next = `It goes on as it is, and is not restarted. Take it back there: ${takenBack(names)}`;
  const told = `${name}: expected PostgreSQL to start with what ALTER SYSTEM has set there (${names.join(", ")}), it does not: `;
  return [
    ...(said.length > 0 ? [`${told}${said.join("; ")}. ${next}`] : []),
    ...(await memoryProblems(host, name, { ...found.configured, ...settings }, settings)).map(
      (reason) => `${reason} ALTER SYSTEM has set that there. ${next}`,
    ),
  ];
}

/** What a server takes at its start of what ALTER SYSTEM has set. @param all with what the other files say. */
async function memoryProblems(
  host: Asked,
  name: string,
  all: Altered,
  altered: Altered,
): Promise<string[]> {
  const sets = (...settings: string[]) => settings.some((one) => Object.hasOwn(altered, one));
  const large = sets("shared_buffers")
    ? tooLarge({ settings: all }, { host: name, facts: await host.observe(hostProbe()) })
    : [];
  const paged =
    sets("shared_buffers", "huge_pages", "huge_page_size") && wantsHugePages({ settings: all });
  return [
    ...large,
    ...(paged
      ? withoutHugePages(
          { settings: all },
          name,
          await host.observe(hugePagesProbe({ settings: all })),
        )
      : []),
  ];
}
