import { sessionsProbe, type Sessions } from "../facts/activity";
import { requireMember, type Cluster } from "./cluster";

export type { Sessions };

/** Who is connected to a member, by what they have in common. */
export function readSessions(cluster: Cluster, member: string): Promise<Sessions> {
  requireMember(cluster, member);
  return cluster.host(member).observe(sessionsProbe(cluster.plan.patroni.port));
}
