import { findServer, serverRequired } from "../../facts/find-server";
import type { Probe } from "../../host/host";
import { hereDocument } from "../../host/shell";

/**
 * JSON of the C library's locales that databases of a server have, those of ICU too, in SQL: without one of them nobody gets in
 * (PostgreSQL, utils/init/postinit.c, CheckMyDatabase).
 */
export const DATABASE_LOCALES = `(select coalesce(json_agg(distinct locale), '[]') from (
      select datcollate::text as locale from pg_database union select datctype::text from pg_database) as named
      where locale <> '')`;

/** The same of the server on this port, of a superuser of this name. */
export function databaseLocalesProbe(port: number, superuser: string): Probe<readonly string[]> {
  return {
    script: `${findServer(port, superuser)}
${serverRequired(port)}
ask postgres ${hereDocument(`select ${DATABASE_LOCALES};\n`)}`,
    parse: (output) => JSON.parse(output) as string[],
  };
}
