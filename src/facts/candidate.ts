import type { Probe } from "../host/host";
import { findServer } from "./find-server";

/** What else than its size matters of a host that nothing is known of yet. */
export interface Surroundings {
  /** Its networks, by interface: `{ interface: "eth0", address: "10.89.0.11", prefix: 24 }`. */
  readonly networks: readonly Network[];
  /** Servers of PostgreSQL that run there. */
  readonly servers: readonly RunningServer[];
}

interface Network {
  readonly interface: string;
  readonly address: string;
  readonly prefix: number;
}

interface RunningServer {
  readonly port: number;
  /** Major version, where its own user can read it: `17`. */
  readonly version?: string;
}

/** Looks at a host's networks and servers, as far as that takes no login to a server. */
export const surroundingsProbe: Probe<Surroundings> = {
  script: `ip -o addr show scope global | awk '{ print "network", $2, $4 }'
${findServer(5432, "postgres")}
for port in $found; do echo "server $port"; done
# The server's own user reads it, who may put there what he likes.
if [ -n "$server" ]; then
  major=$(as "$user" head -c 16 -- "$data/PG_VERSION") || major=
  echo "version 5432 $major"
fi
printf '%s\\n' "$beside" | while read -r process number at; do
  [ -n "$number" ] || continue
  # It may end while it is looked at.
  owner=$(stat -c %U "$process" 2>/dev/null) || continue
  major=$(as "$owner" head -c 16 -- "$at/PG_VERSION") || major=
  echo "version $number $major"
done`,
  parse(output) {
    const lines = output.split("\n").map((line) => line.trim().split(/\s+/));
    const told = (key: string) =>
      lines.filter(([first]) => first === key).map((line) => line.slice(1));
    const versions = new Map(told("version").map(([port, version]) => [port, version]));
    const ports = [...new Set(told("server").map(([port]) => port ?? ""))];
    return {
      networks: told("network").flatMap(([name = "", network = ""]) => {
        const [address = "", prefix] = network.split("/");
        return address === ""
          ? []
          : [{ interface: name.split("@")[0] ?? "", address, prefix: Number(prefix) }];
      }),
      servers: ports
        .filter((port) => /^\d+$/.test(port))
        .map((port) => {
          const version = versions.get(port);
          return { port: Number(port), ...(version && /^\d{1,2}$/.test(version) && { version }) };
        }),
    };
  },
};
