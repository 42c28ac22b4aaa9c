import { PgherdError } from "../../errors";
import { databaseLocalesProbe } from "../facts/database-locales";
import type { SurveyInputs } from "../inputs/survey";
import type { Context } from "../../provider/context";
import type { FoundHost } from "../../provider/found-host";
import { absentLocales, LOCALE_GEN } from "./target-rules";

/**
 * What the backup host lacks of the locales of a database that is migrated: test restores start its copy there. Asked of the
 * server in each preview, since backups may join a migration that has begun. One that cannot be asked, the survey tells of.
 */
export async function backupLocales(
  context: Context,
  { host, port, superuser }: Pick<SurveyInputs, "host" | "port" | "superuser">,
  seen: readonly Pick<FoundHost, "host" | "requirement" | "facts">[],
): Promise<string[]> {
  const keepers = seen.filter(({ requirement }) => requirement.backupDirectory);
  if (keepers.length === 0) return [];
  const needed = await context
    .host(host)
    .observe(databaseLocalesProbe(port, superuser))
    .catch((error: unknown) => {
      if (error instanceof PgherdError) return [];
      throw error;
    });
  return keepers.flatMap((keeper) => {
    const absent = absentLocales(needed, keeper.facts.locales);
    if (absent.length === 0) return [];
    return [
      `${keeper.host}: expected the locale ${absent.join(", ")}, which databases on ${host} have, so that test restores can start ` +
        `their copy, found it not. ${LOCALE_GEN}`,
    ];
  });
}
