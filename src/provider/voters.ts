import { dcsOf } from "../dcs/dcs";
import { kindOf, type DcsKind } from "../roles/dcs";
import type { HostsFacts, PreflightInputs } from "../resources/inputs/preflight";
import type { FoundHost } from "./found-host";
import { changeOf, type Listed, type Membership } from "./membership";

// Who comes to vote in the DCS of a running cluster and who leaves it with an edit of its stack. Pure.

/** Nobody comes or goes where the DCS is, or was, another one. @param before of the last run; nothing in the first. */
export function votersOf(inputs: Pick<Listed, "fixed">, before: Partial<Listed>): Membership {
  const now = namesIn(inputs.fixed);
  const old =
    before.fixed && isSameDcs(inputs, { fixed: before.fixed }) ? namesIn(before.fixed) : now;
  return changeOf(now, old);
}

/** Whether both are of one kind that pgherd deploys. */
function isSameDcs(now: Pick<Listed, "fixed">, before: Pick<Listed, "fixed">): boolean {
  return (
    now.fixed["dcs.kind"] === before.fixed["dcs.kind"] &&
    [now, before].every(({ fixed }) => namesIn(fixed).length > 0)
  );
}

function namesIn({ "dcs.members": names = "none" }: PreflightInputs["fixed"]): string[] {
  // As planFixed tells them.
  return names === "none" ? [] : names.split(", ");
}

/** Where each of them is asked. */
export function clientUrls(
  inputs: Listed,
  before: Partial<Listed>,
  names: readonly string[],
): { [host: string]: string } {
  const port = inputs.fixed["dcs.clientPort"] ?? "";
  return Object.fromEntries(
    names.flatMap((name) => {
      const address = before.hosts?.[name]?.address ?? inputs.hosts[name]?.address;
      return address === undefined ? [] : [[name, clientUrl(address, port)]];
    }),
  );
}

function clientUrl(address: string, port: string): string {
  return `http://${address.includes(":") ? `[${address}]` : address}:${port}`;
}

/**
 * What the hosts tell, with what is to be kept in mind of it: a run that was killed has recorded the new list already. A
 * cluster whose DCS has not begun yet has nobody to wait for.
 * @param seen the hosts of the stack.
 * @param known what was recorded last.
 */
export function withVoters(
  learned: HostsFacts,
  inputs: Listed,
  seen: readonly Pick<FoundHost, "host" | "facts">[],
  known: (Listed & { readonly facts: HostsFacts }) | undefined,
): HostsFacts {
  if (!known) return learned;
  if (!isSameDcs(inputs, known)) return learned;
  const { joining, leaving, staying } = votersOf(inputs, known);
  const { joining: begun = [], former = {} } = known.facts.voters ?? {};
  const now = [...staying, ...joining];
  const hasBegun = (name: string) =>
    seen.some(({ host, facts }) => host === name && facts.dcsFound);
  const standing = staying.filter((name) => !begun.includes(name));
  if (standing.length > 0 && !standing.some(hasBegun)) return learned;
  // For its life: what lies in its directory may be of an earlier time.
  const come = now.filter((name) => joining.includes(name) || begun.includes(name));
  const gone = Object.entries({
    ...former,
    ...Object.fromEntries(leaving.map((name) => [name, known.hosts[name]?.address ?? ""])),
  }).filter(([name]) => !now.includes(name));
  if (come.length + gone.length === 0) return learned;
  return { ...learned, voters: { joining: come, former: Object.fromEntries(gone) } };
}

/** What can be told of it without asking a host: why it cannot be in one run, and how it can. */
export function judgeVoters(inputs: PreflightInputs, before: Partial<PreflightInputs>): string[] {
  const { joining, leaving, staying } = votersOf(inputs, before);
  const moved = staying.flatMap((name) => {
    // Of members another rule tells.
    if (inputs.hosts[name]?.dataDirectory) return [];
    const [old, now] = [before.hosts?.[name]?.address, inputs.hosts[name]?.address];
    return old !== undefined && now !== undefined && old !== now ? [{ name, old, now }] : [];
  });
  const reasons = moved.map(
    ({ name, old, now }) =>
      `pgherd:hosts.${name}.address: expected ${old}, where ${name} votes in the DCS, got ${now}. Who votes does not move: put the old ` +
      `address back, and name the new host under another name in ${PATH} in place of ${name}.`,
  );
  if (joining.length + leaving.length === 0) return reasons;
  const told = `got ${[...joining.map((name) => `${name} new`), ...leaving.map((name) => `${name} gone`)].join(", ")}`;
  const kind = kindOf(inputs.fixed["dcs.kind"] as DcsKind | undefined);
  if (!dcsOf({ kind, members: clientUrls(inputs, before, [...staying, ...joining]) }).joining) {
    reasons.push(
      `${PATH}: expected those of the last run, ${told}. Servers of ${kind} cannot be added or removed yet; put the old list back. ` +
        "A host may vote there that is no member of the cluster any more.",
    );
  }
  if (inputs.survey) {
    reasons.push(
      `${PATH}: expected those of the last run, since pgherd:cluster.migration stands in the stack, ${told}. ` +
        "They cannot be changed in a cluster that comes from a migration yet; put the old list back.",
    );
  }
  if (inputs.move) {
    reasons.push(
      `${PATH}: expected those of the last run, since the cluster moves to another DCS (dcs.movedFrom), ${told}. ` +
        "Put the old list back, let pulumi up end the move, remove movedFrom, then change them.",
    );
  }
  return reasons;
}

const PATH = "pgherd:cluster.dcs.members";

/** What becomes of those who come and go, in plain words. */
export function foreseeVoters(inputs: Listed, known: Listed): string[] {
  const { joining, leaving } = votersOf(inputs, known);
  const kind = kindOf(inputs.fixed["dcs.kind"] as DcsKind | undefined);
  const one = joining.length === 1;
  const come =
    joining.length === 0
      ? []
      : [
          `${joining.join(", ")} ${one ? "comes" : "come"} to vote in ${kind}: ${one ? "it copies" : "one after the other they copy"} what the others have, and ${one ? "counts" : "count"} for the majority only then. ` +
            "Clients notice nothing",
        ];
  const go = leaving.map(
    (name) =>
      `${name} votes in ${kind} no more: it is taken out once ${joining.length > 0 ? "those that come vote" : "all others are healthy"}. ` +
      `Its data stays in ${known.hosts[name]?.dcsDirectory ?? "its data directory"} on ${name}`,
  );
  return [...come, ...go];
}
