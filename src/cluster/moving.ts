import { dcsOf } from "../dcs/dcs";
import { MOVE, patroniKey } from "../dcs/patroni";
import { takesWritesProbe } from "../facts/postgres";
import { askEach } from "../operations/ask";
import { askDcs } from "../operations/dcs";
import type { Cluster } from "./cluster";

/** Why an operator does not take a hand while the cluster goes to another DCS; nothing where it does not. */
export async function moveProblem(cluster: Cluster): Promise<string[]> {
  const { name, dcs, patroni } = cluster.plan;
  const hosts = [...Object.keys(dcs.members), ...Object.keys(patroni.members)];
  const probe = dcsOf(dcs).keyProbe(patroniKey(name, MOVE));
  const record = await askDcs(cluster, hosts, (host) => host.observe(probe));
  return record
    ? [
        "The cluster is on its way to another DCS, and paused for that: `pulumi up` goes on with it and ends the pause.",
      ]
    : [];
}

/** Why nobody is made the leader though nobody leads: a server takes writes, and Patroni tells it to nobody. */
export async function writesProblem(cluster: Cluster): Promise<string[]> {
  const { members, port } = cluster.plan.patroni;
  const { answers } = await askEach(cluster, Object.keys(members), (host) =>
    host.observe(takesWritesProbe(port)),
  );
  return Object.keys(members)
    .filter((name) => answers[name])
    .map(
      (name) =>
        `${name} takes writes, though it leads nowhere: whoever were made the leader would be a second one. ` +
        "Have Patroni there come to lead (pulumi up, where the cluster is on its way to another DCS), or stop its server first.",
    );
}
