import { isIP } from "node:net";
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

export function hbaIsSafe({ cluster }: Settings, report: Report): void {
  cluster.postgresql.pgHba.forEach((line, i) => {
    const path = `cluster.postgresql.pgHba[${i}]`;
    const fields = line.trim().split(/\s+/);
    if (/[\n\r]/.test(line))
      report(path, "expected one line, got several. Make each an entry of its own.");
    if (!/^(local|host|hostssl|hostnossl|hostgssenc|hostnogssenc)$/.test(fields[0] ?? "")) {
      report(
        path,
        `expected a line such as "host app app 10.0.0.0/24 scram-sha-256", got "${line}".`,
      );
    }
    const from = (fields[0] === "local" ? "" : (fields[3] ?? "")).replaceAll('"', "");
    if (
      !cluster.postgresql.pgHbaFromAnywhere &&
      method(fields) !== "reject" &&
      FROM_ANYWHERE.test(from)
    ) {
      report(
        path,
        `expected the networks of the clients, got "${from}", which is everybody. Name them, or set postgresql.pgHbaFromAnywhere: true.`,
      );
    }
    for (const weak of ["trust", "md5", "password"]) {
      if (method(fields) === weak) {
        report(
          path,
          `expected scram-sha-256, cert or reject, got "${weak}", which lets strangers in. Choose one of those.`,
        );
      }
    }
  });
}

/** How the user of a line of pg_hba.conf proves who he is. */
function method(fields: readonly string[]): string {
  // The address may have its mask as a field of its own (pg_hba.conf: "IP-address IP-mask").
  const at = fields[0] === "local" ? 3 : isIP(fields[4] ?? "") ? 5 : 4;
  return (fields[at] ?? "").replaceAll('"', "");
}

const FROM_ANYWHERE = /^(all|0\.0\.0\.0(\/0)?|::(\/0)?)$/;
