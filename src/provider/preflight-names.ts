import { absentNamesProbe, type Names } from "../facts/named-objects";
import type { TrialInput } from "../resources/inputs/preflight";
import { NAMING_SETTINGS, namesIn, type NamingSetting } from "../setting-values";
import type { Context } from "./context";
import type { FoundHost } from "./found-host";

// Settings may name what lies in a database. A server takes any such name, and tells of it when somebody needs it.

/** What they name, in words. */
const KINDS: { readonly [setting in NamingSetting]: string } = {
  default_table_access_method: "a table access method",
  default_text_search_config: "a text search configuration",
  default_tablespace: "a tablespace",
  temp_tablespaces: "tablespaces",
};

/** What an extension may bring. */
const OF_EXTENSIONS: readonly NamingSetting[] = [
  "default_table_access_method",
  "default_text_search_config",
];

/** Every new database has these (src/backend/snowball/snowball_create.sql, 13 to 18; src/include/catalog/pg_am.dat). */
const FROM_THE_START: { readonly [setting in NamingSetting]: readonly string[] } = {
  default_table_access_method: ["heap"],
  default_text_search_config: [
    ...["simple", "arabic", "armenian", "basque", "catalan", "danish", "dutch", "english"],
    ...["estonian", "finnish", "french", "german", "greek", "hindi", "hungarian", "indonesian"],
    ...["irish", "italian", "lithuanian", "nepali", "norwegian", "portuguese", "romanian"],
    ...["russian", "serbian", "spanish", "swedish", "tamil", "turkish", "yiddish"],
  ].flatMap((name) => [name, `pg_catalog.${name}`]),
  default_tablespace: ["pg_default", "pg_global"],
  temp_tablespaces: ["pg_default", "pg_global"],
};

/** Names in settings that stand for nothing in any database of the cluster, a sentence each. */
export async function absentNames(
  context: Context,
  trial: TrialInput,
  members: readonly FoundHost[],
): Promise<string[]> {
  const wanted = namesOf(trial);
  // What comes from elsewhere has what nobody knows here.
  if (trial.dataComes || Object.keys(wanted).length === 0) return [];
  const isNew = members.every(({ facts }) => !facts.data.found);
  const absent = isNew ? absentInNew(wanted, trial) : await absentInAll(context, trial, members);
  return Object.entries(absent).flatMap(([setting, names]) =>
    names.map(
      (name) =>
        `pgherd:cluster.postgresql.parameters.${setting}: expected ${KINDS[setting as NamingSetting]} that ` +
        `${isNew ? "a new cluster" : "one of the databases"} has, got "${name}". ` +
        (setting.includes("tablespace")
          ? "Make it first (CREATE TABLESPACE), or mend its name."
          : "Mend its name, or make it first."),
    ),
  );
}

function namesOf({ settings }: TrialInput): { [setting in NamingSetting]?: string[] } {
  return Object.fromEntries(
    NAMING_SETTINGS.flatMap((setting) => {
      const names = namesIn(setting, settings[setting] ?? "");
      return names.length === 0 ? [] : [[setting, names]];
    }),
  );
}

type Absent = { readonly [setting in NamingSetting]?: readonly string[] };

function absentInNew(wanted: Absent, { extensions }: TrialInput): Absent {
  return Object.fromEntries(
    Object.entries(wanted)
      .filter(
        ([setting]) => extensions.length === 0 || !OF_EXTENSIONS.includes(setting as NamingSetting),
      )
      .map(([setting, names]) => [
        setting,
        names.filter((name) => !FROM_THE_START[setting as NamingSetting].includes(name)),
      ]),
  );
}

/** What none of the members' servers has, of those that can be asked: nothing where none can. */
async function absentInAll(
  context: Context,
  trial: TrialInput,
  members: readonly FoundHost[],
): Promise<Absent> {
  const wanted: Names = { ...namesOf(trial), extensions: trial.extensions };
  const answers = await Promise.all(
    members.map(({ host }) =>
      context.host(host).observe(absentNamesProbe(trial.port ?? 5432, wanted)),
    ),
  );
  const asked = answers.filter((answer) => answer !== undefined);
  if (asked.length === 0) return {};
  // An extension that is still to come may bring it.
  const comes = asked.some(({ extensions = [] }) => extensions.length > 0);
  return Object.fromEntries(
    Object.keys(namesOf(trial))
      .map((setting) => setting as NamingSetting)
      .filter((setting) => !comes || !OF_EXTENSIONS.includes(setting))
      .map((setting) => [
        setting,
        (asked[0]?.[setting] ?? []).filter((name) =>
          asked.every((answer) => answer[setting]?.includes(name)),
        ),
      ]),
  );
}
