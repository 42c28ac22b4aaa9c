import {
  backupsAreApart,
  backupsOutlast,
  bootstrapFits,
  checksHaveDatabases,
} from "./rules/backup";
import { clientsAreKnown } from "./rules/clients";
import { directoriesAreApart } from "./rules/directories";
import { vipsFit } from "./rules/entry-points";
import { balancersNoticeInTime, timingsFit } from "./rules/failover";
import { forksFit } from "./rules/forks";
import { hbaIsSafe } from "./rules/hba";
import { hooksHaveHosts } from "./rules/hooks";
import {
  addressesAreOfHosts,
  addressesAreOfOneFamily,
  addressesDiffer,
  hostsExist,
  namesAreFree,
} from "./rules/hosts";
import { dcsHasMajority, membersDiffer, removedHaveNoPart, tagsFit } from "./rules/members";
import { migrationFits } from "./rules/migration";
import { moveFits } from "./rules/moving-dcs";
import { portsDiffer } from "./rules/ports";
import { registrationFits } from "./rules/registration";
import {
  databasesFit,
  grantsFit,
  ownersExist,
  schemasFit,
  parametersFit,
  slotsFit,
  usersFit,
} from "./rules/postgresql";
import { replicationHasReplicas } from "./rules/replication";
import { understanding, type Report, type Rule } from "./rules/report";
import type { Settings } from "./schema";

/**
 * What a schema cannot say: rules between settings.
 * @param settings where some could not be understood, what they come to is left to the next run.
 * @returns one sentence for each broken rule, with path, expectation, finding and remedy.
 */
export function brokenRules(settings: Settings): string[] {
  const problems: string[] = [];
  const report: Report = (path, problem) => problems.push(`pgherd:${path}: ${problem}`);
  for (const rule of RULES) understanding(() => rule(settings, report));
  return problems;
}

const RULES: readonly Rule[] = [
  namesAreFree,
  hostsExist,
  addressesAreOfHosts,
  addressesDiffer,
  addressesAreOfOneFamily,
  membersDiffer,
  removedHaveNoPart,
  dcsHasMajority,
  moveFits,
  tagsFit,
  replicationHasReplicas,
  timingsFit,
  balancersNoticeInTime,
  vipsFit,
  clientsAreKnown,
  databasesFit,
  ownersExist,
  schemasFit,
  usersFit,
  grantsFit,
  slotsFit,
  parametersFit,
  portsDiffer,
  registrationFits,
  directoriesAreApart,
  forksFit,
  hbaIsSafe,
  backupsAreApart,
  backupsOutlast,
  checksHaveDatabases,
  bootstrapFits,
  hooksHaveHosts,
  migrationFits,
];
