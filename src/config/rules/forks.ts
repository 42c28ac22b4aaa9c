import type { Settings } from "../schema";
import { each, type Report } from "./report";

export function forksFit({ cluster }: Settings, report: Report): void {
  each(cluster.forks, ({ name }, i) => {
    if (cluster.forks.slice(0, i).some((other) => other.name === name))
      report(
        `cluster.forks[${i}].name`,
        `expected each fork once, got "${name}" again. Choose another name.`,
      );
  });
  const sources = ["replica", ...cluster.members.map((member) => member.host)];
  each(cluster.forks, ({ from }, i) => {
    if (!sources.includes(from))
      report(
        `cluster.forks[${i}].from`,
        `expected one of ${sources.join(", ")}, got "${from}". Mend the name.`,
      );
    else if (from === "replica" && cluster.members.length === 1)
      report(
        `cluster.forks[${i}].from`,
        `expected "${cluster.members[0]?.host}", got "replica", which a cluster of one member has not. Name the member.`,
      );
  });
}
