import { createHash } from "node:crypto";

/** A text as a UUID, which is as secret as the text: `6f1ed002-ab5d-…`. */
export function uuidOf(text: string): string {
  const digits = createHash("sha256").update(text).digest("hex");
  return [
    digits.slice(0, 8),
    digits.slice(8, 12),
    // Of random bits, in version and variant (RFC 9562, 5.4).
    `4${digits.slice(13, 16)}`,
    `a${digits.slice(17, 20)}`,
    digits.slice(20, 32),
  ].join("-");
}
