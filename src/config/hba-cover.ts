import type { Field, HbaRule, Origin } from "./hba";

/**
 * Whether an earlier line takes every connection that a later one is meant for: PostgreSQL goes by the first that fits
 * (src/backend/libpq/hba.c, check_hba). Where it cannot be told, as with groups and names of hosts, it does not.
 */
export function covers(earlier: HbaRule, later: HbaRule): boolean {
  const ways = waysOf(earlier.type);
  return (
    waysOf(later.type).every((way) => ways.includes(way)) &&
    coversField(earlier.databases, later.databases, "replication") &&
    coversField(earlier.users, later.users) &&
    coversOrigin(earlier.from, later.from)
  );
}

/** How connections come in, by the first word of a line. */
const WAYS: { readonly [type: string]: readonly string[] } = {
  local: ["socket"],
  host: ["ssl", "gss", "plain"],
  hostssl: ["ssl"],
  hostnossl: ["gss", "plain"],
  hostgssenc: ["gss"],
  hostnogssenc: ["ssl", "plain"],
};

function waysOf(type: string): readonly string[] {
  return WAYS[type] ?? [];
}

/** @param besides what the word `all` does not stand for. */
function coversField(earlier: Field, later: Field, besides?: string): boolean {
  return later.every((one) =>
    earlier.some(
      ({ text, quoted }) =>
        (text === one.text && quoted === one.quoted) ||
        (text === "all" && !quoted && (one.text !== besides || one.quoted)),
    ),
  );
}

function coversOrigin(earlier: Origin, later: Origin): boolean {
  if (earlier.kind === "all") return later.kind !== "socket";
  if (earlier.kind === "network" && later.kind === "network") return includes(earlier, later);
  if (earlier.kind === "name" && later.kind === "name") return earlier.name === later.name;
  return earlier.kind === later.kind;
}

/** Whether a network holds all of another one. */
export function includes(
  outer: Extract<Origin, { kind: "network" }>,
  inner: Extract<Origin, { kind: "network" }>,
): boolean {
  return (
    outer.address.kind() === inner.address.kind() &&
    outer.prefix <= inner.prefix &&
    // The types of the two families don't know each other.
    (inner.address as { match(other: unknown, bits: number): boolean }).match(
      outer.address,
      outer.prefix,
    )
  );
}
