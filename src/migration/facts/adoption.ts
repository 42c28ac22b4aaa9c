import { FactError } from "../../errors";
import type { Probe } from "../../host/host";
import { asOwner } from "../../host/ownership";
import { asUser, hereDocument, quote, words } from "../../host/shell";
import type { Source } from "../inputs/source";
import { psql } from "../../facts/postgres";
import { ORIGINAL, type Client } from "./source";
import { literal } from "../../facts/sql";
import { askOldServer, type OldServer } from "./standby";
import { serviceOf } from "../../facts/systemd";
import { patroni } from "../../roles/patroni";

/** What was found of the server when it was adopted; `undefined` where it has not been, or stands alone again. */
export const keptSourceProbe: Probe<Source | undefined> = {
  script: `if [ -e ${ORIGINAL}/source.json ]; then echo kept; cat ${ORIGINAL}/source.json; fi`,
  parse(output) {
    if (output.trim() === "") return undefined;
    try {
      return JSON.parse(output.replace(/^kept\n/, "")) as Source;
    } catch (error) {
      // Taken for one that is not there, the migration would begin anew on what it has changed already.
      throw new FactError(
        `${ORIGINAL}/source.json: expected what was found of the server before its migration, found something else.`,
        "Bring the file back from a backup of the host, or end the migration by hand.",
        { cause: error },
      );
    }
  },
};

/** A host that a database is to be copied to. */
export interface CopyTarget {
  readonly glibc: string;
  /** Locales as `locale -a` spells them. */
  readonly locales: readonly string[];
  /** Which of the files that were asked for are there, for postgres to read. */
  readonly files: readonly string[];
  /**
   * Which of the directories that were asked for are there, PostgreSQL's own, and empty or with nothing but what an earlier
   * copy of a migration has left there.
   */
  readonly directories: readonly string[];
  /** Which of the groups that were asked for have the user postgres in them. */
  readonly groups: readonly string[];
  /** Bytes that are free where the data will be. */
  readonly free: number;
}

/** @param dataDirectory which need not exist yet. */
export function copyTargetProbe(
  dataDirectory: string,
  asked: {
    readonly files: readonly string[];
    readonly directories: readonly string[];
    readonly groups: readonly string[];
  },
): Probe<CopyTarget> {
  return {
    script: `echo "glibc $(getconf GNU_LIBC_VERSION | cut -d' ' -f2)"
# It warns where its own environment names a locale that is not there.
locale -a 2>/dev/null | sed 's/^/locale /'
${usableScript(asked.files)}
# There may be no such user yet.
in=" $(id -nG postgres 2>/dev/null || :) "
for group in ${words(asked.groups)}; do
  case $in in *" $group "*) echo "group $group" ;; esac
done
${asked.directories.map((directory) => freeScript(directory, dataDirectory)).join("\n")}
at=${quote(dataDirectory)}
while [ ! -d "$at" ]; do at=\${at%/*}; at=\${at:-/}; done
echo "free $(df -B1 --output=avail "$at" | tail -n 1)"`,
    parse(output) {
      const all = (key: string) =>
        output
          .split("\n")
          .filter((line) => line.startsWith(`${key} `))
          .map((line) => line.slice(key.length + 1).trim());
      return {
        glibc: all("glibc")[0] ?? "",
        locales: all("locale"),
        files: all("file"),
        directories: all("directory"),
        groups: all("group"),
        free: Number(all("free")[0] ?? 0),
      };
    },
  };
}

/** Tells the files and directories that PostgreSQL's user could read. Whether it can write its log is tried with the settings. */
function usableScript(files: readonly string[]): string {
  const look = (usable: string) =>
    `for file in ${words(files)}; do if ${usable}; then echo "file $file"; fi; done`;
  // There may be no such user yet: then it is only known what is there.
  return `if id -u postgres >/dev/null 2>&1; then
${asUser("postgres", look('[ -r "$file" ] && { [ ! -d "$file" ] || [ -x "$file" ]; }'))}
else
${look('[ -e "$file" ]')}
fi`;
}

/** Tells a directory that is PostgreSQL's own and free for a copy; one that it cannot look into is neither. */
function freeScript(directory: string, dataDirectory: string): string {
  const at = quote(directory);
  // The first copy of a tablespace finds its directory empty, or an older one's, which is set aside with it.
  const look = `if [ -d ${at} ] && [ "$(stat -c %U ${at})" = postgres ]; then
  # Nothing else may be there.
  found=$(ls -A -I lost+found ${at})
  # Nothing else is what is wanted.
  held=$(printf '%s\\n' "$found" | grep -v '^PG_[0-9]*_[0-9]*$' || :)
  if [ -z "$found" ]; then echo directory ${at}
  elif [ -z "$held" ]; then
    for link in ${quote(dataDirectory)}/pg_tblspc/*; do
      if [ "$(readlink "$link")" = ${at} ]; then echo directory ${at}; fi
    done
  fi
fi`;
  return asOwner("postgres", `${directory}/.`, look);
}

/** A command that prints the process of the server that runs in this directory of postgres's; nothing for none. */
export function serverProcess(dataDirectory: string): string {
  const file = quote(`${dataDirectory}/postmaster.pid`);
  return asOwner(
    "postgres",
    `${dataDirectory}/.`,
    `[ -f ${file} ] || exit 0
pid=$(head -n 1 ${file})
case $pid in '' | *[!0-9]*) exit 0 ;; esac
# The file stays where a server was killed, and its process is gone.
[ "$(cat "/proc/$pid/comm" 2>/dev/null)" != postgres ] || echo "$pid"`,
  );
}

/** The unit that the server in this directory belongs to: empty for none, `none` where no server runs. */
export function serverUnitProbe(dataDirectory: string): Probe<string> {
  return {
    script: `pid=$(${serverProcess(dataDirectory)})
if [ -n "$pid" ]; then
  ${serviceOf("/proc/$pid")}
else
  echo none
fi`,
    parse: (output) => output.trim(),
  };
}

/**
 * Whether the server runs as before its migration, so that the way back restarts nothing: one that Patroni has started has
 * Patroni's settings on its command line.
 * @param unit that it belongs to now, as `serverUnitProbe` tells.
 */
export function runsByItself(source: Pick<Source, "unit">, unit: string): boolean {
  if (unit === source.unit) return true;
  return source.unit === "" && unit !== patroni.unit && unit !== "none";
}

/**
 * Who is connected to this server directly.
 * @param own addresses that the cluster's own connections come from: those of members and load balancers.
 * @param roles whose sessions over the local socket are pgherd's and Patroni's own.
 */
export function directClientsProbe(
  port: number,
  own: readonly string[],
  roles: readonly string[],
): Probe<Client[]> {
  return {
    script: `cd / && ${psql(port, "postgres")} ${hereDocument(directClients(own, roles))}`,
    parse: (output) => JSON.parse(output) as Client[],
  };
}

/** The same of a server that Patroni does not lead: all but its superuser on its own socket. */
export function oldClientsProbe(server: OldServer): Probe<Client[]> {
  return {
    script: askOldServer(server, directClients([], [server.superuser])),
    parse: (output) => JSON.parse(output) as Client[],
  };
}

function directClients(own: readonly string[], roles: readonly string[]): string {
  const list = (values: readonly string[]) => ["", ...values].map(literal).join(", ");
  return `select coalesce(json_agg(json_build_object('user', usename, 'database', datname, 'address', address,
    'application', application_name, 'sessions', sessions)), '[]') from (
      select usename, datname, coalesce(host(client_addr), '') as address, min(application_name) as application_name, count(*) as sessions
      from pg_stat_activity where pid <> pg_backend_pid()
        -- A walsender with a database is a subscriber's.
        and (backend_type = 'client backend' or backend_type = 'walsender' and datid is not null)
        and case when client_addr is null then usename not in (${list(roles)})
          else host(client_addr) not in (${list(own)}) end
      group by 1, 2, 3 order by 1, 2, 3) as direct;
`;
}
