import type { Settings } from "../config/schema";

/** The address of a host, which the settings' rules have made sure of. */
export function addressOf(hosts: Settings["hosts"], name: string): string {
  const host = hosts[name];
  if (!host) throw new Error(`no host is called ${name}`);
  return host.address;
}
