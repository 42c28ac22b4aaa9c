import { clusterViewProbe } from "../facts/patroni";
import { leaderOf } from "../facts/member-state";
import { catalogProbe } from "../facts/postgres";
import { askEach } from "../operations/ask";
import { catalogChanges, runSql } from "../operations/postgres";
import { verifies } from "../operations/scram";
import type { PatroniClusterInputs } from "../resources/inputs/patroni-cluster";
import { sameValue } from "../rpc/values";
import type { Context } from "./context";

/** Whether nothing differs from what was recorded last but passwords of roles that are there. */
export function isPasswordsOnly<Known extends PatroniClusterInputs>(
  inputs: PatroniClusterInputs,
  known: Known | undefined,
): known is Known {
  if (!known) return false;
  const { passwords: wanted, ...others } = inputs;
  const names = (passwords: object) => Object.keys(passwords).sort();
  return (
    sameValue(names(wanted), names(known.passwords ?? {})) &&
    Object.entries(others).every(([name, value]) =>
      sameValue(value, known[name as keyof typeof known]),
    )
  );
}

/**
 * Changes passwords on the leader alone: of the other hosts none needs to answer, since the others have them from it.
 * @returns the state then; nothing if nobody who answers leads.
 */
export async function changePasswords<Known extends PatroniClusterInputs>(
  context: Context,
  { members, port, passwords }: PatroniClusterInputs,
  known: Known,
): Promise<Known | undefined> {
  const { answers } = await askEach(context, Object.keys(members), (host, name) =>
    host.observe(clusterViewProbe(members[name] ?? "")),
  );
  const leader = Object.entries(answers).find(([name, view]) => leaderOf(view) === name)?.[0];
  if (leader === undefined) return undefined;
  const host = context.host(leader);
  const look = () => host.observe(catalogProbe(port));
  const sql = catalogChanges([], [], passwords, await look());
  if (sql) await host.change("changing passwords", runSql(port, "postgres", sql));
  const { roles } = await look();
  const found = Object.entries(passwords).map(([name, password]) => {
    const verifier = roles.find((role) => role.name === name)?.verifier ?? "";
    return [name, verifies(password, verifier) ? password : ""] as const;
  });
  return { ...known, passwords: Object.fromEntries(found) };
}
