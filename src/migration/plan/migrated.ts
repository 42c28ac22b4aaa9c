import type { Settings } from "../../config/schema";
import type { Source } from "../inputs/source";
import { balancerNetworks, hostBasedAuthentication } from "../../plan/authentication";
import { migratedRules } from "../../plan/firewall";
import { rejectsByAddress } from "../carried/rules";
import { neededAtOnce } from "./needed";
import { isFollowing, soFar } from "../steps";
import { migratedFiles } from "../../plan/patroni";
import type { MigratedPlan } from "../../plan/types";

/** What of the plan is made from the server that is migrated, once it has been looked at. */
export function planMigrated(whole: Settings, source: Source): MigratedPlan {
  const settings = soFar(whole);
  return {
    needed: isFollowing(settings) ? {} : neededAtOnce(settings, source),
    hba: hostBasedAuthentication(settings, source),
    voidRules: rejectsByAddress(source, balancerNetworks(settings)),
    rules: migratedRules(settings, source),
    files: migratedFiles(settings, source),
  };
}
