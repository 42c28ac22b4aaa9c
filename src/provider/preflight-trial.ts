import type { HostFacts } from "../facts/host";
import { absentExtensionsProbe, hugePagesProbe } from "../facts/trial";
import type { PreflightInputs, TrialInput } from "../resources/inputs/preflight";
import { sameValue, type Value } from "../rpc/values";
import { booleanOf, numberOf } from "../setting-values";
import type { Context } from "./context";
import type { FoundHost } from "./found-host";
import { absentNames } from "./preflight-names";
import { triedOn } from "./trial";

/** What is tried before anything is changed. */
const WORDS = {
  what: "pgherd:cluster.postgresql says",
  next: "Mend its parameters or pgHba. Nothing was touched.",
};

/**
 * What keeps a server of a member from starting with the user's own settings and lines of pg_hba.conf: a member would be
 * down for it. Tried again only when they change.
 */
export async function tryOut(
  context: Context,
  { trial }: PreflightInputs,
  old: Partial<PreflightInputs>,
  seen: readonly FoundHost[],
): Promise<string[]> {
  if (!trial || sameValue(trial as unknown as Value, (old.trial ?? null) as unknown as Value))
    return [];
  const members = seen.filter(({ requirement }) => requirement.dataDirectory);
  const tried = members.map(async (member) => {
    const host = context.host(member.host);
    // What is still to be installed may be needed for an extension.
    const tryable = isComplete(member) ? trial : { ...trial, databases: {} };
    const [said, absent] = await Promise.all([
      triedOn(context, member.host, tryable, WORDS, old.trial?.extensions),
      trial.extensions.length > 0 ? host.observe(absentExtensionsProbe(trial)) : [],
    ]);
    const pages = isOn(trial.settings.huge_pages) ? await host.observe(hugePagesProbe(trial)) : 0;
    return [
      ...tooLarge(trial, member),
      ...withoutHugePages(trial, member.host, pages),
      ...(isComplete(member) ? said : withoutAbsentFiles(said)),
      ...withoutExtensions(member, absent),
    ];
  });
  const [absent, ...rest] = await Promise.all([absentNames(context, trial, members), ...tried]);
  return [...absent, ...rest.flat()];
}

type Packages = Pick<FoundHost, "requirement" | "installed">;

function isComplete({ requirement, installed }: Packages): boolean {
  return requirement.packages.every((name) => Object.hasOwn(installed, name));
}

/** A package that is still to be installed may bring a library: it is tried again then (host-base.ts). Exported for its tests. */
export function withoutAbsentFiles(said: readonly string[]): string[] {
  return said.flatMap((one) => {
    const rest = one.replace(ABSENT_FILE, "").replace("; . ", ". ");
    return rest.includes("it does not: . ") ? [] : [rest];
  });
}

const ABSENT_FILE = /could not access file "[^"]*": No such file or directory(; )?/g;

/** A package that is still to be installed may bring it. Exported for its tests. */
export function withoutExtensions(
  member: Packages & Pick<FoundHost, "host">,
  absent: readonly string[],
): string[] {
  if (absent.length === 0 || !isComplete(member)) return [];
  return [
    `${member.host}: expected the extensions of pgherd:cluster.postgresql.databases on the host, there is no ${absent.join(", ")}. ` +
      "Put the package that has it into postgresql.packages, or mend the name.",
  ];
}

/** Where PostgreSQL would do without ("try"), it starts all the same. @param bytes in huge pages. Exported for its tests. */
export function withoutHugePages(
  { settings, hugePagesCome }: TrialInput,
  host: string,
  bytes: number,
): string[] {
  if (!isOn(settings.huge_pages) || hugePagesCome) return [];
  const wanted = buffersOf(settings);
  if (bytes > wanted) return [];
  const need = wanted > 0 ? `more than ${megabytes(wanted)} MB for shared_buffers` : "some";
  return [
    `${host}: expected huge pages, ${need}, for huge_pages "${settings.huge_pages}", the host has ${megabytes(bytes)} MB of them. ` +
      "Set vm.nr_hugepages in pgherd:cluster.system.sysctl, or huge_pages to try.",
  ];
}

function isOn(value: string | undefined): boolean {
  return value !== undefined && booleanOf(value) === true;
}

function megabytes(bytes: number): number {
  return Math.floor(bytes / 2 ** 20);
}

const PAGE = 8192;

function buffersOf(settings: TrialInput["settings"]): number {
  return PAGE * (numberOf(settings.shared_buffers ?? "0", { type: "integer", unit: "8kB" }) ?? 0);
}

/** All members have the same settings, and no trial takes so much. Exported for its tests. */
export function tooLarge(
  { settings }: Pick<TrialInput, "settings">,
  { host, facts }: { readonly host: string; readonly facts: Pick<HostFacts, "memory"> },
): string[] {
  if (buffersOf(settings) < facts.memory) return [];
  return [
    `${host}: expected shared_buffers to fit into the host's memory, ${megabytes(facts.memory)} MB, ` +
      `got "${settings.shared_buffers}". Lower it.`,
  ];
}
