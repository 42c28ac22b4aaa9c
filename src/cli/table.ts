import Table from "cli-table3";
import pc from "picocolors";

const LINES = ["", "-mid", "-left", "-right"].flatMap((part) => [`top${part}`, `bottom${part}`]);
const PARTS = [...LINES, "left", "left-mid", "mid", "mid-mid", "right", "right-mid", "middle"];

/**
 * A text of a host's or a client's own without anything that a terminal obeys: `\x1b[31m` as `^[[31m`, as `cat -v` shows it.
 * Line breaks and tabs stay.
 */
export function printable(text: string): string {
  return text.replace(/[^\P{Cc}\n\t]/gu, (control) => {
    const code = control.charCodeAt(0);
    return code < 0x80 ? `^${String.fromCharCode(code ^ 0x40)}` : "\ufffd";
  });
}

/**
 * A table without lines: a person's eye needs none, and other programs can cut it.
 * Colours come from picocolors alone, so that there are some on a terminal and in the log of a CI (`CI`), and none elsewhere.
 */
export function plainTable(head: readonly string[]): InstanceType<typeof Table> {
  return new Table({
    head: head.map((word) => pc.bold(word)),
    style: { head: [], border: [], "padding-left": 0, "padding-right": 2 },
    chars: Object.fromEntries(PARTS.map((part) => [part, ""])),
  });
}
