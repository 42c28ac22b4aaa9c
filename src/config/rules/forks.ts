import type { Settings } from "../schema";
import type { Report } from "./report";

export function forksFit({ cluster }: Settings, report: Report): void {
  const names = cluster.forks.map((fork) => fork.name);
  const sources = ["replica", ...cluster.members.map((member) => member.host)];
  cluster.forks.forEach(({ name, from }, i) => {
    if (names.indexOf(name) !== i)
      report(
        `cluster.forks[${i}].name`,
        `expected each fork once, got "${name}" again. Choose another name.`,
      );
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
