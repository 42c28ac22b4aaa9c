import { isIP } from "node:net";
import { z } from "zod";
import { normalizePath } from "../directories";
import { isSchedule } from "../schedule";
import { bytesOf } from "../size";

/** Names that end in host names, unit names, paths and SQL: nothing that any of them would have to quote. */
const NAME = /^[a-z][a-z0-9-]{0,62}$/;

const IDENTIFIER = /^[a-z_][a-z0-9_]{0,62}$/;

export const name = z.string().regex(NAME, {
  error:
    "a lower-case name such as demo-1 (letters, digits and hyphens, a letter first, 63 characters at most)",
});

/** A user of the hosts' operating system, as Debian's adduser allows them. */
export const systemUser = z.string().regex(/^[a-z_][a-z0-9_-]{0,31}$/, {
  error: "the name of a user of the hosts, such as telegraf",
});

export const identifier = z
  .string()
  .regex(IDENTIFIER, {
    error:
      "a lower-case SQL name such as app_1 (letters, digits and underscores, 63 characters at most)",
  })
  .refine((value) => value !== LOST_KEY, { error: "another name" });

/** What no block of JavaScript's can be asked for: whatever is called so would go on without its value. */
export const LOST_KEY = "__proto__";

/**
 * Whether it is an address that means the same on every host. One with a zone (`fe80::1%eth0`) names an interface of the
 * host that reads it, and neither nftables nor PostgreSQL takes it.
 */
function isAddress(value: string): boolean {
  return isIP(value) !== 0 && !value.includes("%");
}

/** Without zeros in front, which make some readers take a number for one of base eight. */
const PREFIX = /^(0|[1-9]\d{0,2})$/;

/** Whether it is an address and a length of its prefix, such as `10.89.0.100/24`. */
export function isPrefixed(value: string): boolean {
  const [base = "", prefix = "", ...rest] = value.split("/");
  return isAddress(base) && PREFIX.test(prefix) && rest.length === 0;
}

export const address = z.string().refine((value) => isAddress(value), {
  error:
    'an IP address such as "10.89.0.11" or "fd00:89::11" (a name may resolve differently on each host)',
});

export const port = z.int().min(1).max(65535);

/** What timers of programs count to in milliseconds and 31 bits: 24 days and some hours. */
export const LONGEST_SECONDS = 24 * 86400;

export const seconds = z.int().min(1).max(LONGEST_SECONDS);

/** As PostgreSQL writes it, no larger than what can be counted here to a byte. */
export const size = z
  .string()
  .regex(/^[1-9]\d*(kB|MB|GB|TB)$/, {
    error: 'a size such as "512MB" (a whole number with kB, MB, GB or TB)',
    abort: true,
  })
  .refine((value) => bytesOf(value) <= Number.MAX_SAFE_INTEGER, {
    error: "a size of 8191TB or less",
    abort: true,
  });

/** Where not every size makes sense. @param why what forbids the others. */
export function sizeWithin({ least, most, why }: Bounds) {
  const bounds = [least && `${least} or more`, most && `${most} or less`].filter(Boolean);
  return size.refine(
    (value) =>
      bytesOf(value) >= (least ? bytesOf(least) : 0) &&
      bytesOf(value) <= (most ? bytesOf(most) : Infinity),
    { error: `${bounds.join(", ")} (${why})` },
  );
}

interface Bounds {
  readonly least?: string;
  readonly most?: string;
  readonly why: string;
}

/** Whatever compares or joins paths gets them in their one form. */
export const absolutePath = z
  .string()
  .regex(/^\/[A-Za-z0-9._/-]+$/, { error: "an absolute path without spaces" })
  .overwrite(normalizePath);

/** A block by names that the user chooses: what he has not named is not there, even if it is called `constructor`. */
export function byName<Value extends z.ZodType>(names: z.ZodString, value: Value) {
  return z
    .record(names, value)
    .overwrite((block) => Object.assign(Object.create(null) as typeof block, block));
}

/** Addresses that traffic may come from. */
export const network = z.string().refine((value) => isNetwork(value), {
  error: 'a network such as "10.0.0.0/24" or "fd00::/64", or one address',
});

function isNetwork(value: string): boolean {
  if (!value.includes("/")) return isAddress(value);
  const [base = "", prefix] = value.split("/");
  return isPrefixed(value) && Number(prefix) <= (isIP(base) === 4 ? 32 : 128);
}

export const hostName = z.string().describe("Name of one of `pgherd:hosts`.");

export const schedule = z.string().refine((value) => isSchedule(value), {
  error:
    'a time as cron writes it, such as "0 2 * * *" (minute, hour, day, month, weekday; a day or a weekday)',
});
