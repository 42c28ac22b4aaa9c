import Table from "cli-table3";
import pc from "picocolors";

const LINES = ["", "-mid", "-left", "-right"].flatMap((part) => [`top${part}`, `bottom${part}`]);
const PARTS = [...LINES, "left", "left-mid", "mid", "mid-mid", "right", "right-mid", "middle"];

/**
 * A table without lines: a person's eye needs none, and other programs can cut it.
 * Colours come from picocolors alone, so that there are none where the output is no terminal.
 */
export function plainTable(head: readonly string[]): InstanceType<typeof Table> {
  return new Table({
    head: head.map((word) => pc.bold(word)),
    style: { head: [], border: [], "padding-left": 0, "padding-right": 2 },
    chars: Object.fromEntries(PARTS.map((part) => [part, ""])),
  });
}
