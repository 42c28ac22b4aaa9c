import { settings, type HostSettings, type SshSettings } from "./schema";

/** The hosts of a stack and how they are reached. */
interface Connections {
  readonly hosts: { readonly [name: string]: HostSettings };
  readonly ssh: SshSettings;
}

/**
 * The way to a stack's hosts, of its values `pgherd:hosts` and `pgherd:ssh` alone; nothing where the stack has none.
 * @throws Error if they are not what the schema asks for; `parseSettings` tells how.
 */
export function parseConnections(raw: {
  readonly hosts?: unknown;
  readonly ssh?: unknown;
}): Connections | undefined {
  if (raw.hosts === undefined) return undefined;
  return settings.pick({ hosts: true, ssh: true }).parse({ hosts: raw.hosts, ssh: raw.ssh });
}
