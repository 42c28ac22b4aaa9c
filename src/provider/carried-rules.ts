import { HealthError } from "../errors";
import { loadedRulesProbe, standAmong, type LoadedRules } from "../facts/loaded-rules";
import type { CarriedRules } from "../migration/inputs/source";
import type { Context } from "./context";

/** Which of a migrated server's lines these files do not have as it had them; nothing if they have all. */
export function lostRules(carried: CarriedRules, found: LoadedRules): string | undefined {
  const { hbaRows = [], identRows = [] } = carried;
  const hba = standAmong(hbaRows, found.hba);
  const ident = standAmong(identRows, found.ident);
  if (hba && ident && found.errors.length === 0) return undefined;
  const lost = [
    ...hbaRows.filter((row) => !found.hba.includes(row)),
    ...identRows.filter((row) => !found.ident.includes(row)),
  ];
  const [first = "their order"] = [...found.errors, ...lost];
  return `expected the lines of ${[...(hba ? [] : ["pg_hba.conf"]), ...(ident ? [] : ["pg_ident.conf"])].join(" and ") || "pg_hba.conf"} that the server had before, got others: ${first}`;
}

/**
 * What members make of the lines that were carried to them.
 * @throws HealthError if one of them understands them otherwise than the server that they come from.
 */
export async function rulesCarried(
  context: Context,
  members: readonly string[],
  port: number,
  carried: CarriedRules | undefined,
): Promise<void> {
  if (!carried?.hbaRows) return;
  await Promise.all(
    members.map(async (member) => {
      const lost = lostRules(carried, await context.host(member).observe(loadedRulesProbe(port)));
      if (lost) {
        throw new HealthError(
          `${member}: ${lost}.`,
          "Compare with the old file (/var/lib/pgherd/migration/postgres.tar), and go back by pgherd migration rollback.",
        );
      }
    }),
  );
}
