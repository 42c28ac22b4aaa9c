import type { Settings } from "../config/schema";
import { addressOf } from "./addresses";
import { ENTRANCES, planEntryPoint } from "./haproxy";
import { endpoint } from "./template";

/**
 * What clients connect with, by entrance: `{ primary: "postgresql://10.89.0.100:5000/", replica: … }`. User and database
 * are theirs to add. Several addresses are tried in turn, and without load balancers the client itself looks for the
 * member that it needs (libpq, "Connection Strings": target_session_attrs, prefer-standby since version 14).
 */
export function planConnection(settings: Settings): { readonly [entrance: string]: string } {
  const entryPoint = planEntryPoint(settings);
  if (entryPoint) {
    return Object.fromEntries(
      ENTRANCES.map((entrance) => [
        entrance,
        uri(entryPoint.addresses.map((address) => endpoint(address, entryPoint.ports[entrance]))),
      ]),
    );
  }
  const { hosts, cluster } = settings;
  const members = uri(
    cluster.members.map(({ host }) => endpoint(addressOf(hosts, host), cluster.postgresql.port)),
  );
  return {
    primary: `${members}?target_session_attrs=read-write`,
    replica: `${members}?target_session_attrs=prefer-standby`,
  };
}

/** What clients connect to a fork with: `postgresql://10.89.0.13:5433/`. */
export function forkUri({ hosts }: Settings, host: string, port: number): string {
  return uri([endpoint(addressOf(hosts, host), port)]);
}

function uri(endpoints: readonly string[]): string {
  return `postgresql://${endpoints.join(",")}/`;
}
