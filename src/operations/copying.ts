import type { RunningBackup } from "../facts/activity";

/** Who is copying a server's data, for messages: `barman has been copying its data for 300 s (process 8)`. */
export function describeCopying({ pid, by, seconds }: RunningBackup): string {
  return `${by || "somebody"} has been copying its data for ${seconds} s (process ${pid})`;
}
