import type { Probe } from "../host/host";
import { asOwner } from "../host/ownership";
import { quote } from "../host/shell";
import { positionOf } from "./restore";

/** A segment of WAL in an archive. */
export interface WalFile {
  /** `000000010000000000000005` */
  readonly segment: string;
  /** Whether it is still being received, or was left before its end. */
  readonly complete: boolean;
  /** When it was last written to, in seconds since 1970. */
  readonly at: number;
}

/** All WAL that Barman has, from this segment on (its name without the timeline), whatever its timeline. */
export function walProbe(home: string, from: string): Probe<WalFile[]> {
  return {
    // What is received goes from one folder into the other: looked at in this order nothing escapes.
    script: asOwner(
      "barman",
      `${home}/.`,
      `for folder in streaming wals diverged; do
  [ ! -d ${quote(home)}/$folder ] || find ${quote(home)}/$folder -type f -size +0 -printf '%f %T@\\n'
done |
awk '$1 ~ /^[0-9A-F]+(\\.partial)?(\\.[0-9TZ]+)?$/ && length($1) >= 24 && substr($1, 9, 16) >= "${from}"'`,
    ),
    parse: (output) =>
      output
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => {
          const [name = "", at = ""] = line.split(" ");
          return {
            segment: name.slice(0, 24),
            complete: name.length === 24,
            at: Math.floor(Number(at)),
          };
        }),
  };
}

/**
 * The segment that holds a position: `000000010000000000000005` for 1, 0/5000060 and segments of 16 MB
 * (access/xlog_internal.h, XLogFileName).
 * @param bytes of a segment, as initdb made them: 1 MB to 1 GB.
 */
export function segmentAt(timeline: number, position: string | bigint, bytes: number): string {
  const at = typeof position === "string" ? positionOf(position) : position;
  const hex = (value: bigint) => value.toString(16).toUpperCase().padStart(8, "0");
  return [BigInt(timeline), at >> 32n, (at & 0xffffffffn) / BigInt(bytes)].map(hex).join("");
}

/**
 * Where a segment begins.
 * @param bytes of a segment.
 */
export function segmentStart(segment: string, bytes: number): bigint {
  const [high, low] = [BigInt(`0x${segment.slice(8, 16)}`), BigInt(`0x${segment.slice(16)}`)];
  return (high << 32n) + low * BigInt(bytes);
}
