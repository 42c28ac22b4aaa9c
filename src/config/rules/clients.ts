import type { Settings } from "../schema";
import type { Report } from "./report";

export function clientsAreKnown({ cluster }: Settings, report: Report): void {
  if (!cluster.firewall || cluster.firewall.clients) return;
  if ((cluster.loadBalancers?.vip ?? []).length > 0) return;
  report(
    "cluster.firewall.clients",
    "expected the networks of the clients, got nothing: without a virtual IP they cannot be guessed. " +
      'Set them, e.g. ["10.0.0.0/24"], or set firewall: false.',
  );
}
