import { words } from "../../host/shell";

const ETCDCTL = "ETCDCTL_API=3 etcdctl --dial-timeout=2s --command-timeout=4s";

/** The etcdctl command for these endpoints: `["http://10.89.0.11:2379"]`. */
export function etcdctl(endpoints: readonly string[]): string {
  return `${ETCDCTL} --endpoints=${words([endpoints.join(",")])}`;
}
