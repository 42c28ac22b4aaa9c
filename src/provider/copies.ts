import { copiesProbe, type Copy } from "../migration/facts/standby";
import type { PatroniClusterInputs } from "../resources/inputs/patroni-cluster";
import type { Context } from "./context";

/** Copies that replicas are making of this member now. */
export function copiesOf(context: Context, member: string, port: number): Promise<Copy[]> {
  return context.host(member).observe(copiesProbe(port));
}

/** How far they are, in words: `copying the data: db2 37 %, db3 12 %`; empty where there are none. */
export function describeCopies(
  copies: readonly Copy[],
  members: PatroniClusterInputs["members"],
): string {
  if (copies.length === 0) return "";
  const nameOf = (address: string) =>
    Object.keys(members).find(
      (name) => members[name]?.replace(/:\d+$/, "").replace(/[[\]]/g, "") === address,
    ) ?? address;
  const parts = copies.map(
    ({ address, percent }) =>
      `${nameOf(address)} ${percent === undefined ? "begins" : `${percent} %`}`,
  );
  return `copying the data: ${parts.sort().join(", ")}`;
}
