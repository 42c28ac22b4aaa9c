import { dcsOf } from "../dcs/dcs";
import type { DcsKind } from "../roles/dcs";
import { askEach } from "../operations/ask";
import type { PreflightInputs } from "../resources/inputs/preflight";
import type { Context } from "./context";
import type { FoundHost } from "./found-host";
import { whoAsks } from "./former-in";
import { unreachable } from "./judge-members";
import { membershipOf } from "./membership";
import { clientUrls, votersOf } from "./voters";

/**
 * Why nobody can come to vote in the DCS or leave it now, by what it is at this moment; none if they can.
 * @param before of the last run.
 * @param seen the hosts of the stack that could be asked.
 */
export async function judgeVotersNow(
  context: Context,
  inputs: PreflightInputs,
  before: Partial<PreflightInputs>,
  seen: readonly Pick<FoundHost, "host" | "facts">[],
): Promise<string[]> {
  const { joining, leaving, staying } = votersOf(inputs, before);
  const kind = inputs.fixed["dcs.kind"] as DcsKind | undefined;
  if (joining.length + leaving.length === 0) return [];
  const voters = {
    kind,
    members: clientUrls(inputs, before, staying),
    former: clientUrls(inputs, before, leaving),
  };
  const dcs = dcsOf({ kind, members: { ...voters.former, ...voters.members } });
  if (!dcs.joining) return [];
  const begun = seen.some(({ host, facts }) => staying.includes(host) && facts.dcsFound);
  // A cluster that could not be made has nobody to wait for.
  if (staying.length > 0 && !begun) return [];
  const { silent } = await askEach(context, leaving, (host) =>
    host.observe({ script: ":", parse: () => true }),
  );
  const lost = Object.entries(silent).filter(([name]) => !context.isRemoved(name));
  const healthy = (await whoAsks(context, voters))?.endpoints ?? [];
  const away = staying.filter((name) => !healthy.includes(voters.members[name] ?? ""));
  const journal = `journalctl -u ${dcs.unit.replace(/\.service$/, "")} -n 50`;
  const reasons = lost.map(([name, error]) => unreachable(name, error));
  if (healthy.length === 0) {
    return [
      ...reasons,
      `${[...staying, ...leaving].join(", ")}: expected a majority of ${kind} to answer before its members change, got none. Bring it up first: ${journal}.`,
    ];
  }
  if (away.length > 0) {
    reasons.push(
      `${away.join(", ")}: expected ${kind} to be healthy before others come or go, found it is not: with one away, ${kind} lets nobody in. ` +
        `Bring it up first: ${journal}. If the host is gone for good, take it out of pgherd:cluster.dcs.members too, and name it in pgherd:cluster.removed.`,
    );
  }
  const apart = leaving.filter((name) => !inputs.hosts[name] && !context.isRemoved(name));
  if (staying.length === 0 && apart.length > 0) {
    reasons.push(
      `pgherd:cluster.dcs.members: expected one of ${leaving.join(", ")} to stay, since ${apart.join(", ")} ${apart.length > 1 ? "have" : "has"} no other part in the cluster and ` +
        "would let nobody new in, got a list that is all new. Go there in two steps, the first of which keeps one of them.",
    );
  }
  if (staying.length === 0 && membershipOf(inputs, before).leaving.length > 0) {
    reasons.push(
      "pgherd:cluster: expected members to leave while one that votes in the DCS stays, got a list dcs.members that is all new, too. " +
        "Put cluster.members back and run pulumi up, which takes the DCS there; then take the members out.",
    );
  }
  return reasons;
}
