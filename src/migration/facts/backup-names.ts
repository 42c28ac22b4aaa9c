import { z } from "zod";
import { findServer, serverRequired } from "../../facts/find-server";
import type { Probe } from "../../host/host";
import { hereDocument } from "../../host/shell";
import { ROLES_OF_BACKUPS, rolesAmong } from "./source";

const answer = z.object({
  roles: z.array(z.string()),
  slots: z.array(z.object({ name: z.string() })),
});

const SQL = `select json_build_object('roles', ${rolesAmong(ROLES_OF_BACKUPS)}, 'slots',
  (select coalesce(json_agg(json_build_object('name', slot_name)), '[]') from pg_replication_slots where not temporary));
`;

/** Roles of Barman's on this server, and all its slots. */
export function backupNamesProbe(port: number, superuser: string): Probe<z.infer<typeof answer>> {
  return {
    script: `${findServer(port, superuser)}
${serverRequired(port)}
ask postgres ${hereDocument(SQL)}`,
    parse: (output) => answer.parse(JSON.parse(output)),
  };
}
