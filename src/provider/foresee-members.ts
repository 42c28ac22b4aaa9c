import { foreseeLeaving } from "../cluster/departure";
import { askEach } from "../operations/ask";
import type { PreflightInputs } from "../resources/inputs/preflight";
import { restApiAt } from "../roles/patroni";
import { viewOf } from "./cluster-view";
import type { Context } from "./context";
import { type Listed, membershipOf } from "./membership";

/** What becomes of members that come and go, in plain words. @param known what was recorded last. */
export async function foreseeMembers(
  context: Context,
  inputs: Listed,
  known: Listed,
): Promise<string[]> {
  const { joining, leaving, staying } = membershipOf(inputs, known);
  const told = foreseeJoining(joining, inputs.hosts);
  if (leaving.length === 0 || staying.length === 0) return told;
  const { silent } = await askEach(context, leaving, (host) =>
    host.observe({ script: ":", parse: () => true }),
  );
  const members = Object.fromEntries(
    staying.map((name) => [name, restApiAt(inputs.hosts[name]?.address ?? "")]),
  );
  const gone = Object.keys(silent).filter((name) => context.isRemoved(name));
  const view = await viewOf(context, { members });
  const rules = { neverLead: [], maximumLag: Infinity };
  return [
    ...foreseeLeaving(
      { view, leaving, staying, gone, rules },
      (name) => known.hosts[name]?.dataDirectory ?? "its data directory",
    ),
    ...told,
  ];
}

function foreseeJoining(joining: readonly string[], hosts: PreflightInputs["hosts"]): string[] {
  if (joining.length === 0) return [];
  const one = joining.length === 1;
  const [backup] = Object.entries(hosts).find(([, host]) => host.backupDirectory) ?? [];
  const source =
    backup === undefined
      ? "a replica with the tag clonefrom, or else from the leader"
      : `the backups on ${backup}, or else from a replica with the tag clonefrom, or the leader`;
  return [
    `${joining.join(", ")} ${one ? "joins" : "join"}: first the other members let ${one ? "it" : "them"} in (firewall, pg_hba.conf) and HAProxy is told of ${one ? "it" : "them"}, ` +
      `then ${one ? "it copies" : "they copy"} the data from ${source}. Clients are led to ${one ? "it" : "them"} once ${one ? "it streams" : "they stream"}; nobody's session is cut`,
  ];
}
