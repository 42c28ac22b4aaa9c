import { createHash } from "node:crypto";

/**
 * Tells secrets apart where they must not be shown: `9f86d081884c7d65`. Only for those that are generated, which nobody can
 * guess, so that trying leads nowhere.
 */
export function fingerprintOf(secret: string): string {
  return createHash("sha256")
    .update(`pgherd's fingerprint of ${secret}`)
    .digest("hex")
    .slice(0, 16);
}
