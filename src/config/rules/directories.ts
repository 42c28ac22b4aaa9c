import { hostsOf, ROLES } from "../../roles/roles";
import { lies, unfitFor, type Purpose } from "../directories";
import type { Settings } from "../schema";
import type { Report } from "./report";

interface Place {
  readonly path: string;
  readonly directory: string;
  readonly purpose: Purpose;
  readonly hosts: readonly string[];
  /** What it is called beside others. */
  readonly name: string;
}

/** Root gives each of them to a user: none may be, hold, or lie in what is somebody else's. */
export function directoriesAreApart({ cluster }: Settings, report: Report): void {
  const places = placesOf(cluster);
  const unfit = places.filter(({ path, directory, purpose }) => {
    const reason = unfitFor(purpose, directory);
    if (reason)
      report(path, `expected a directory of its own, got "${directory}", ${reason}. ${REMEDY}`);
    return reason;
  });
  places.forEach((place, i) => {
    const { path, directory } = place;
    const other = places
      .slice(0, i)
      .filter((one) => !unfit.includes(one) && one.hosts.some((host) => place.hosts.includes(host)))
      .find((one) => lies(directory, one.directory) || lies(one.directory, directory));
    if (!other || unfit.includes(place)) return;
    const how =
      directory === other.directory ? "is" : lies(directory, other.directory) ? "lies in" : "holds";
    report(
      path,
      `expected ${place.name} to be apart from ${other.name} on the same host, got "${directory}", which ${how} ${other.directory}. Choose another.`,
    );
  });
}

const REMEDY = "Choose one that is for nothing else, such as /srv/pgherd/data.";

function placesOf(cluster: Settings["cluster"]): Place[] {
  return ROLES.flatMap((role) =>
    role.directories.flatMap(({ owner, setting, path, name }) => {
      const directory = path(cluster);
      if (directory === undefined) return [];
      const hosts = hostsOf(role, cluster);
      return [{ path: `cluster.${setting}`, directory, purpose: owner, hosts, name }];
    }),
  );
}
