import type { HostsFacts, PreflightInputs } from "../resources/inputs/preflight";
import type { FoundHost } from "./found-host";

// Which members a running cluster gets and loses with an edit of its stack. Pure.

/** What of a stack tells its members: as it is, and as it was in the last run. */
export type Listed = Pick<PreflightInputs, "fixed" | "hosts">;

/** Names of which some come, some go and some stay. */
export interface Membership {
  readonly joining: readonly string[];
  readonly leaving: readonly string[];
  readonly staying: readonly string[];
}

/** Who comes, goes and stays. @param before of the last run; nothing in the first. */
export function membershipOf(inputs: Pick<Listed, "fixed">, before: Partial<Listed>): Membership {
  const now = membersOf(inputs);
  const old = before.fixed ? membersOf({ fixed: before.fixed }) : now;
  return changeOf(now, old);
}

export function changeOf(now: readonly string[], old: readonly string[]): Membership {
  return {
    joining: now.filter((name) => !old.includes(name)),
    leaving: old.filter((name) => !now.includes(name)),
    staying: now.filter((name) => old.includes(name)),
  };
}

function membersOf({ fixed }: Pick<Listed, "fixed">): string[] {
  // As planFixed tells them.
  return (fixed.members ?? "").split(", ").filter((name) => name !== "");
}

/** What the hosts tell, with who comes and goes. */
export function withMembers(
  learned: HostsFacts,
  inputs: Listed,
  seen: readonly Pick<FoundHost, "host" | "facts">[],
  known: (Listed & { readonly facts: HostsFacts }) | undefined,
): HostsFacts {
  if (!known) return learned;
  const { joining, leaving } = membershipOf(inputs, known);
  const facts = joining.length + leaving.length > 0 ? tunedAsBefore(learned, known.facts) : learned;
  return { ...facts, ...membersInMotion(inputs, seen, known) };
}

/** A larger host that comes, or a small one that goes, restarts nobody: only what a new one lacks is a reason to. */
function tunedAsBefore(learned: HostsFacts, before: HostsFacts): HostsFacts {
  const { memory, cores, disk } = before.smallest;
  const { smallest } = learned;
  return {
    ...learned,
    smallest: {
      memory: Math.min(memory, smallest.memory),
      cores: Math.min(cores, smallest.cores),
      disk: Math.min(disk, smallest.disk),
    },
  };
}

/**
 * What is to be kept in mind of it until it is done, which may take several runs: a run that was killed has recorded the new
 * list already. A cluster that has no database yet has nobody to wait for.
 * @param seen the hosts of the stack.
 * @param known what was recorded last.
 */
function membersInMotion(
  inputs: Listed,
  seen: readonly Pick<FoundHost, "host" | "facts">[],
  known: Listed & { readonly facts: HostsFacts },
): Pick<HostsFacts, "joining" | "leaving"> {
  const { joining, leaving, staying } = membershipOf(inputs, known);
  const hasData = (name: string) =>
    seen.some(({ host, facts }) => host === name && facts.data.found);
  const begun = (known.facts.joining ?? []).filter((name) => !hasData(name));
  const standing = staying.filter((name) => !begun.includes(name));
  if (!standing.some(hasData)) return {};
  const now = [...staying, ...joining];
  const come = now.filter((name) => joining.includes(name) || begun.includes(name));
  const gone = Object.entries({
    ...known.facts.leaving,
    ...Object.fromEntries(leaving.map((name) => [name, known.hosts[name]?.address ?? ""])),
  }).filter(([name]) => !now.includes(name));
  return {
    ...(come.length > 0 && { joining: come }),
    ...(gone.length > 0 && { leaving: Object.fromEntries(gone) }),
  };
}

/**
 * What can be told of it without asking a host: why it cannot be in one run, and how it can.
 * @param isRemoved whether the stack has given a host up.
 */
export function judgeMembership(
  inputs: PreflightInputs,
  before: Partial<PreflightInputs>,
  isRemoved: (host: string) => boolean,
): string[] {
  const { joining, leaving, staying } = membershipOf(inputs, before);
  const moved = staying.flatMap((name) => {
    const [old, now] = [before.hosts?.[name]?.address, inputs.hosts[name]?.address];
    return old !== undefined && now !== undefined && old !== now ? [{ name, old, now }] : [];
  });
  const reasons = moved.map(
    ({ name, old, now }) =>
      `pgherd:hosts.${name}.address: expected ${old}, where the member ${name} is, got ${now}. A member does not move, and is not replaced ` +
      "under its name yet: put the old address back, add the new host under another name, and take this one out of pgherd:cluster.members once the new one streams.",
  );
  if (joining.length + leaving.length === 0) return reasons;
  const path = "pgherd:cluster.members";
  if (inputs.survey) {
    reasons.push(
      `${path}: expected those of the last run, since pgherd:cluster.migration stands in the stack, got ${told(joining, leaving)}. ` +
        "Members of a cluster that comes from a migration cannot be added or removed yet; put the old list back.",
    );
  }
  if (inputs.move) {
    reasons.push(
      `${path}: expected those of the last run, since the cluster moves to another DCS (dcs.movedFrom), got ${told(joining, leaving)}. ` +
        "Put the old list back, let pulumi up end the move, remove movedFrom, then change the members.",
    );
  }
  if (staying.length === 0) {
    reasons.push(
      `${path}: expected one of ${leaving.join(", ")}, which have the data, got none of them. ` +
        `Add ${joining.join(", ")} beside them first; when they stream, take the old ones out.`,
    );
    return reasons;
  }
  const live = leaving.filter((name) => !isRemoved(name));
  if (joining.length > 0 && live.length > 0) {
    reasons.push(
      `${path}: expected members to be added or removed, got both: ${told(joining, leaving)}. There would be fewer copies until the new ones stream. ` +
        `First leave ${live.join(", ")} in the list and run pulumi up, which adds ${joining.join(", ")}; then take ${live.join(", ")} out and run it again. ` +
        `A host that is gone for good may go at once: pgherd:cluster.removed: [${live.join(", ")}].`,
    );
  }
  return reasons;
}

function told(joining: readonly string[], leaving: readonly string[]): string {
  return [
    ...(joining.length > 0 ? [`${joining.join(", ")} new`] : []),
    ...(leaving.length > 0 ? [`${leaving.join(", ")} gone`] : []),
  ].join(" and ");
}
