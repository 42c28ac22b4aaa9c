import type { Probe } from "../host/host";
import { hereDocument } from "../host/shell";
import { findServer } from "./find-server";
import { literal } from "./sql";
import type { NamingSetting } from "../setting-values";

/** Settings that name something of a database, and what a database may have beside. */
type Kind = NamingSetting | "extensions";

/** What one database has of such names; one of a schema stands there with it and without. */
const QUERIES: { readonly [kind in Kind]: string } = {
  default_table_access_method: "SELECT amname FROM pg_am WHERE amtype = 't'",
  default_text_search_config:
    "SELECT unnest(ARRAY[cfgname, nspname || '.' || cfgname]) FROM pg_ts_config JOIN pg_namespace AS n ON n.oid = cfgnamespace",
  default_tablespace: "SELECT spcname FROM pg_tablespace",
  temp_tablespaces: "SELECT spcname FROM pg_tablespace",
  extensions: "SELECT extname FROM pg_extension",
};

/** Names by what names them: `{ temp_tablespaces: ["fast", "faster"] }`. */
export type Names = { readonly [kind in Kind]?: readonly string[] };

/** Which of these names no database of the server on this host has; nothing where there is no server to be asked. */
export function absentNamesProbe(port: number, names: Names): Probe<Names | undefined> {
  const wanted = Object.entries(names).flatMap(([setting, some]) =>
    some.map((name) => ({ setting: setting as Kind, name })),
  );
  const sql = wanted.map(
    ({ setting, name }, i) =>
      `SELECT 'known ${i}' WHERE ${literal(name)} IN (${QUERIES[setting]});\n`,
  );
  const databases =
    "SELECT encode(convert_to(datname, 'UTF8'), 'base64') FROM pg_database WHERE datallowconn AND datconnlimit <> -2;\n";
  return {
    script: `${findServer(port, "postgres")}
[ -n "$server" ] || exit 0
databases=$(ask postgres ${hereDocument(databases)})
for database in $databases; do
  # One that lets nobody in at the moment, or is no more, may have what is looked for.
  if ! ask "$(printf %s "$database" | base64 -d)" ${hereDocument(sql.join(""))}then echo unasked; fi
done
echo asked`,
    parse(output) {
      const lines = output.split("\n").map((line) => line.trim());
      if (!lines.includes("asked") || lines.includes("unasked")) return undefined;
      const absent = wanted.filter((_, i) => !lines.includes(`known ${i}`));
      return Object.fromEntries(
        Object.keys(names).map((setting) => [
          setting,
          absent.filter((one) => one.setting === setting).map(({ name }) => name),
        ]),
      );
    },
  };
}
