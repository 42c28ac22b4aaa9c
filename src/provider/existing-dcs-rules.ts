import type { Standing } from "../dcs/existing";
import { prefixOf } from "../dcs/existing";
import { UNNAMED } from "../roles/dcs";
import type { ExistingDcsInputs } from "../resources/inputs/existing-dcs";
import { compareVersions } from "../versions";

/** What a host sees of the DCS. */
export interface Seen {
  readonly host: string;
  readonly standing: Standing;
  /** System identifier of the data that it has, or `unknown`; none where it has none, or that is not asked. */
  readonly identifier?: string;
}

/** What every DCS serves, however it is set: of all the least is what Consul's `session_ttl_min` of 10 seconds allows. */
const ALWAYS_GIVEN_TTL = 20;

/**
 * Why a cluster cannot be in a DCS of somebody else's: a sentence for each cause, however many hosts see it.
 * @param same whether it has been in this one before.
 */
export function judgeStanding(
  seen: readonly Seen[],
  inputs: ExistingDcsInputs,
  same: boolean,
): string[] {
  return [
    ...answers(seen, inputs),
    ...versions(seen, inputs),
    ...rights(seen, inputs),
    ...leases(seen, inputs),
    ...databases(seen, inputs, same),
  ];
}

/** What keeps nothing from being done, and should be known. */
export function warnOfStanding(seen: readonly Seen[], inputs: ExistingDcsInputs): string[] {
  const { endpoints, kind = UNNAMED } = inputs;
  const silent = endpoints.flatMap((url) => {
    const from = seen.filter(
      ({ standing: { answering } }) => answering.length > 0 && !answering.includes(url),
    );
    return from.length > 0
      ? [`${names(from)}: ${kind} does not answer at ${url}; other endpoints do.`]
      : [];
  });
  const wide = seen.filter(({ standing }) => standing.mayMore);
  return [
    ...silent,
    ...(wide.length > 0
      ? [
          `pgherd:cluster.dcs: ${kind} lets in to more than ${place(inputs)} by what the stack gives: ` +
            "whoever is root on a member can change what is others' there. docs/existing-dcs.md has the rights that are enough.",
        ]
      : []),
  ];
}

function answers(seen: readonly Seen[], { kind = UNNAMED }: ExistingDcsInputs): string[] {
  const silent = seen.filter(({ standing: { answering } }) => answering.length === 0);
  return [...new Set(silent.map(({ standing: { said } }) => said))].map(
    (said) =>
      `${names(silent.filter(({ standing }) => standing.said === said))}: expected an answer of ${kind}'s for a majority, got ${short(said)}. ` +
      "Mend cluster.dcs.endpoints, its certificates and credentials, or what is between.",
  );
}

function versions(
  seen: readonly Seen[],
  { kind = UNNAMED, leastVersion }: ExistingDcsInputs,
): string[] {
  const old = seen.find(
    ({ standing: { version } }) => version && compareVersions(version, leastVersion) < 0,
  );
  return old
    ? [
        `pgherd:cluster.dcs: expected ${kind} ${leastVersion} or later, found ${old.standing.version}. Use another one.`,
      ]
    : [];
}

function rights(seen: readonly Seen[], inputs: ExistingDcsInputs): string[] {
  const refused = seen.filter(
    ({ standing: { answering, may } }) => answering.length > 0 && may !== true,
  );
  const [first] = refused;
  if (!first) return [];
  return [
    `${names(refused)}: expected ${inputs.kind ?? UNNAMED} to let in to all below ${place(inputs)}, got ${short(String(first.standing.may))}. ` +
      "Give it these rights: docs/existing-dcs.md.",
  ];
}

function leases(seen: readonly Seen[], { kind = UNNAMED, ttl }: ExistingDcsInputs): string[] {
  if (ttl >= ALWAYS_GIVEN_TTL) return [];
  const [first] = seen.filter(({ standing }) => standing.answering.length > 0);
  if (!first) return [];
  const { leastTtl, shorterBy = "it" } = first.standing;
  if (leastTtl !== undefined && leastTtl <= ttl) return [];
  return [
    `pgherd:cluster.failover: expected a ttl of ${leastTtl ?? ALWAYS_GIVEN_TTL} seconds or more, got ${ttl}: ` +
      (leastTtl === undefined
        ? `${kind} does not tell whether it gives leases that short, without which nobody would ever lead. Raise it, or give the stack the right to ask (docs/existing-dcs.md).`
        : `${kind} gives no shorter leases, and nobody would ever lead. Raise it, or have ${shorterBy} lowered.`),
  ];
}

/** None of the members may take another cluster's place, nor make a second database beside one that is somewhere else. */
function databases(seen: readonly Seen[], inputs: ExistingDcsInputs, same: boolean): string[] {
  // Of data whose server is not installed nobody knows yet which it is.
  if (!inputs.data || seen.some(({ identifier }) => identifier === "unknown")) return [];
  const known = new Set(seen.flatMap(({ standing }) => standing.systemIdentifier || []));
  const own = seen.filter(({ identifier }) => identifier !== undefined);
  const others = [...known].filter((one) => own.every(({ identifier }) => identifier !== one));
  const begun = seen.some(({ standing }) => standing.systemIdentifier === "");
  const asked = seen.some(({ standing }) => standing.answering.length > 0 && standing.may === true);
  const { kind = UNNAMED, cluster } = inputs;
  return [
    ...others.map(
      (one) =>
        `pgherd:cluster.name: expected a name that no other cluster has in this ${kind}, found "${cluster}" under ${place(inputs)}, with the database ${one}, ` +
        `which ${own.length > 0 ? `is not that of ${names(own)}` : "no member has"}. Name this one otherwise, or take another cluster.dcs.prefix. ` +
        "If that cluster is gone for good, remove what is there.",
    ),
    ...(asked && !same && !inputs.arrives && !begun && known.size === 0 && own.length > 0
      ? [
          `${names(own)}: expected ${kind} to know under ${place(inputs)} of the database ${own[0]?.identifier} that is there, it knows of none. ` +
            "To move the cluster there, put the old block below the new one as cluster.dcs.movedFrom: docs/moving-dcs.md.",
        ]
      : []),
  ];
}

function place({ cluster, existing }: ExistingDcsInputs): string {
  return `${prefixOf(existing)}${cluster}`;
}

function names(seen: readonly Seen[]): string {
  return seen.map(({ host }) => host).join(", ");
}

const SHOWN_CHARACTERS = 300;

function short(said: string): string {
  const text = said.replace(/\s+/g, " ").trim();
  return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text;
}
