import { DEBIAN } from "./debian";
import { debian12 } from "./debian-12";
import { debian13 } from "./debian-13";
import { debian14 } from "./debian-14";
import { forMajor, type Distribution, type Owner, type Software } from "./distribution";
import type { PackageManager } from "./package-manager";

export { forMajor };
export type { Distribution, Owner, Software };

/** Releases whose packages are known to fit. */
const RELEASES: readonly Distribution[] = [debian12, debian13, debian14];

/** Where a stack names no release, its hosts may have any of those, and not all the same. */
const ANY_RELEASE: Distribution = {
  ...DEBIAN,
  name: "debian",
  title: `Debian ${oneOf(RELEASES.map(({ title }) => title.replace("Debian ", "")))}`,
  systems: RELEASES.flatMap(({ systems }) => systems),
};

/** What a stack may choose from. */
export const DISTRIBUTION_NAMES = RELEASES.map(({ name }) => name);

/** The distribution with this name; without one, whatever release of Debian a host runs. */
export function distributionNamed(name?: string): Distribution {
  return RELEASES.find((one) => one.name === name) ?? ANY_RELEASE;
}

/** What installs packages on all distributions that are known. */
export const packageManager: PackageManager = DEBIAN.packageManager;

/** What all distributions that are known have alike, for a host of which nobody says what it runs. */
export const ANY_HOST: Pick<Distribution, "homes" | "paths" | "madeByPackages" | "makeUser"> =
  DEBIAN;

/** As far as a cluster's settings tell of what its hosts run. */
interface OnHosts {
  readonly system: { readonly distribution?: string };
}

/** What a cluster's hosts run. */
export function distributionOf({ system }: OnHosts): Distribution {
  return distributionNamed(system.distribution);
}

/** The package that software comes in, on a cluster's hosts. */
export function packageOf(
  software: Software,
  cluster: OnHosts & { readonly postgresql: { readonly version: number } },
): string {
  return forMajor(distributionOf(cluster).packages[software], cluster.postgresql.version);
}

/** `12, 13 or 14` */
function oneOf(words: readonly string[]): string {
  return `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}
