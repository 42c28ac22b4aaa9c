import type { ClusterSettings } from "../config/schema";
import { undisturbed } from "../session-settings";
import { sandbox } from "./sandbox";
import { script } from "./script";
import { render } from "./template";
import type { Files } from "./types";

/** The two halves of a test restore, and what writes down how it ended. */
const COPY = "/var/lib/pgherd/backup-verify-copy";
const VERIFY = "/var/lib/pgherd/backup-verify";
const VERIFIED = "/var/lib/pgherd/backup-verified";

/** There for as long as a test restore runs (systemd.exec(5), DynamicUser): nothing on the host belongs to it. */
const VERIFY_USER = "pgherd-verify";

/** Where its own processes find the folder that they work in, without a way through Barman's. */
const SCRATCH = "/run/pgherd-verify";

/** A test restore that takes longer than a day tells enough. */
const VERIFY_SECONDS = 24 * 3600;

/**
 * Settings of all sessions of a test restore: nothing that a role, a database or its owner has set may change what they
 * do, or have them run what is in the database.
 */
function sessionSettings(version: number): string {
  const settings = [
    "session_preload_libraries=",
    ...(version >= 17 ? ["event_triggers=off"] : []),
    // Nobody else is there who could hold one.
    "lock_timeout=0",
    "default_tablespace=",
    "temp_tablespaces=",
    "default_table_access_method=heap",
    "jit=off",
  ];
  return [undisturbed(version), ...settings.map((setting) => `-c ${setting}`)].join(" ");
}

/** What the unit of the test restores is made of. */
interface VerifyValues {
  readonly description: string;
  /** Barman's user, and its folder of the cluster. */
  readonly barman: string;
  readonly home: string;
  readonly readBackups: string;
  readonly results: string;
  readonly metrics: string;
  readonly binDirectory: string;
}

/** The test restore's scripts, and its unit. */
export function verifyFiles(
  { name, backup, postgresql }: ClusterSettings,
  unit: string,
  values: VerifyValues,
): Files {
  if (!backup?.verify) return {};
  const { checks, keep, cpu } = backup.verify;
  const { version } = postgresql;
  const common = { ...values, scratch: SCRATCH, user: VERIFY_USER };
  return {
    ...script(COPY, "barman/verify-copy.sh", common),
    ...script(VERIFY, "barman/verify.sh", {
      ...common,
      restoreSeconds: VERIFY_SECONDS,
      settings: sessionSettings(version),
      // Until then max_replication_slots counted for these too.
      originSetting: version >= 18,
      checks,
    }),
    ...script(VERIFIED, "barman/verified.py", {}),
    [unit]: {
      mode: "0644",
      owner: "root",
      group: "root",
      content: render("barman/verify.service", {
        ...common,
        name,
        cpu,
        keep,
        copy: COPY,
        verify: VERIFY,
        verified: VERIFIED,
        // To read what is Barman's; only the first half has it.
        sandbox: sandbox({ capabilities: [READ_ALL], compiles: true }),
        capability: READ_ALL,
      }),
    },
  };
}

/** Reads whatever file there is, and writes none (capabilities(7)). */
const READ_ALL = "CAP_DAC_READ_SEARCH";
