import type { Dcs, DcsPlace } from "../dcs";
import { keysAt } from "./keys";
import { joiningAt } from "./joining";
import { membersAt } from "./members";
import { standingAt } from "./standing";
import { upkeepAt } from "./upkeep";

/** etcd, version 3, behind these client URLs. */
export function etcdAt(place: DcsPlace): Dcs {
  const { endpoints } = place;
  return {
    kind: "etcd",
    byOwnAgent: false,
    ...keysAt(place),
    ...membersAt(place),
    joining: joiningAt(endpoints),
    upkeep: upkeepAt(endpoints),
    ...standingAt(place),
  };
}
