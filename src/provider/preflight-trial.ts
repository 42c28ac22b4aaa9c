import { absentExtensionsProbe, hugePagesProbe } from "../facts/trial";
import { tooLarge, wantsHugePages, withoutHugePages } from "../operations/memory-to-start";
import type { PreflightInputs } from "../resources/inputs/preflight";
import { sameValue, type Value } from "../rpc/values";
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
    const pages = wantsHugePages(trial) ? await host.observe(hugePagesProbe(trial)) : 0;
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
