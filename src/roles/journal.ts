import { roleNamed, type RoleName } from "./roles";

/** What one types to read the last that daemons have said: `journalctl -u patroni -n 50`. */
export function journalctl(...names: RoleName[]): string {
  const units = names.map((name) => `-u ${roleNamed(name).unit.replace(/\.service$/, "")}`);
  return `journalctl ${units.join(" ")} -n 50`;
}
