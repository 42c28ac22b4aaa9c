import { backupsOutlast } from "./rules/backup";
import { clientsAreKnown } from "./rules/clients";
import { directoriesAreApart } from "./rules/directories";
import { vipsFit } from "./rules/entry-points";
import { balancersNoticeInTime, timingsFit } from "./rules/failover";
import { forksFit } from "./rules/forks";
import { hbaIsSafe } from "./rules/hba";
import { hooksHaveHosts } from "./rules/hooks";
import { addressesAreOfOneFamily, addressesDiffer, hostsExist } from "./rules/hosts";
import { etcdHasMajority, membersDiffer, tagsFit } from "./rules/members";
import { migrationFits } from "./rules/migration";
import { portsDiffer } from "./rules/ports";
import { ownersExist, parametersFit, slotsFit } from "./rules/postgresql";
import { replicationHasReplicas } from "./rules/replication";
import type { Report, Rule } from "./rules/report";
import type { Settings } from "./schema";

/**
 * What a schema cannot say: rules between settings.
 * @returns one sentence for each broken rule, with path, expectation, finding and remedy.
 */
export function brokenRules(settings: Settings): string[] {
  const problems: string[] = [];
  const report: Report = (path, problem) => problems.push(`pgherd:${path}: ${problem}`);
  for (const rule of RULES) rule(settings, report);
  return problems;
}

const RULES: readonly Rule[] = [
  hostsExist,
  addressesDiffer,
  addressesAreOfOneFamily,
  membersDiffer,
  etcdHasMajority,
  tagsFit,
  replicationHasReplicas,
  timingsFit,
  balancersNoticeInTime,
  vipsFit,
  clientsAreKnown,
  ownersExist,
  slotsFit,
  parametersFit,
  portsDiffer,
  directoriesAreApart,
  forksFit,
  hbaIsSafe,
  backupsOutlast,
  hooksHaveHosts,
  migrationFits,
];
