import type { Dcs } from "../dcs";
import { keysAt } from "./keys";
import { joiningAt } from "./joining";
import { membersAt } from "./members";
import { upkeepAt } from "./upkeep";

/** etcd, version 3, behind these client URLs. */
export function etcdAt(endpoints: readonly string[]): Dcs {
  return {
    kind: "etcd",
    byOwnAgent: false,
    ...keysAt(endpoints),
    ...membersAt(endpoints),
    joining: joiningAt(endpoints),
    upkeep: upkeepAt(endpoints),
  };
}
