import { booleanOf } from "./setting-values";

/** A promise of every stack that hangs on a setting of PostgreSQL. */
interface SettingPromise {
  readonly keeps: (value: string) => boolean;
  /** What keeps it, in words. */
  readonly expected: string;
  /** What comes of any other value, as a clause. */
  readonly reason: string;
}

/** Date styles that psycopg2, with which Patroni reads dates, does not understand (utils/adt/datetime.c and commands/variable.c, check_datestyle, 13 to 18). */
const FOREIGN_DATES = /^(sql|postgres.*|german)$/;

/** Settings by which data is kept whole. */
const OF_THE_DATA: { readonly [name: string]: SettingPromise } = {
  wal_level: {
    keeps: (value) => ["replica", "logical"].includes(value.toLowerCase()),
    expected: "replica or logical",
    reason: "replicas need the WAL",
  },
  fsync: mustBe(true, "a crash would damage the data"),
  full_page_writes: mustBe(true, "a crash would damage the data"),
  zero_damaged_pages: mustBe(false, "what is damaged would be emptied"),
  ignore_checksum_failure: mustBe(
    false,
    "what is damaged would be read, and copied, as if it were whole",
  ),
  ignore_invalid_pages: mustBe(false, "a replica would go on without a part of the data"),
  data_sync_retry: mustBe(false, "what a disk has lost would be taken for written"),
};

/**
 * Settings of sessions with which Patroni can no longer ask the server that it runs. Whoever needs such a value sets it for a
 * database or a user: ALTER DATABASE, ALTER ROLE.
 */
export const FOR_PATRONI: { readonly [name: string]: SettingPromise } = {
  datestyle: {
    keeps: (value) =>
      !value
        .split(",")
        .some((word) => FOREIGN_DATES.test(word.trim().replace(/^"|"$/g, "").toLowerCase())),
    expected: "ISO, with MDY, DMY or YMD",
    reason:
      "Patroni, which reads dates too, would no longer answer, and no load balancer would lead to a member",
  },
  default_transaction_isolation: {
    keeps: (value) => value.toLowerCase() !== "serializable",
    expected: "read committed, repeatable read or read uncommitted",
    reason:
      "a replica refuses each question of such a session (PostgreSQL, Hot Standby), Patroni's too",
  },
};

/** The same of what ALTER ROLE and ALTER DATABASE set, which may be more than a file can say. */
export const FOR_PATRONIS_SESSIONS: typeof FOR_PATRONI = {
  ...FOR_PATRONI,
  role: {
    keeps: (value) => /^(none|postgres)$/.test(value),
    expected: "none",
    reason:
      "Patroni would have that role's rights alone, and could neither see nor lead the server",
  },
};

/**
 * Settings with one value, or some, that break a promise wherever they come from: a stack, ALTER SYSTEM, a server that is taken
 * over. By lower-case name.
 */
export const SETTING_PROMISES: { readonly [name: string]: SettingPromise } = {
  ...OF_THE_DATA,
  ...FOR_PATRONI,
};

function mustBe(wanted: boolean, reason: string): SettingPromise {
  return {
    keeps: (value) => booleanOf(value) === wanted,
    expected: wanted ? "on" : "off",
    reason,
  };
}
