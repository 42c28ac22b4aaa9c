import type { Probe } from "../host/host";
import { quote } from "../host/shell";

/** A file as it stands on a host. */
export interface FoundFile {
  readonly content: string;
  /** Four octal digits: `0644`. */
  readonly mode: string;
  readonly owner: string;
  readonly group: string;
  /** When the content was last changed, in seconds since 1970; a copy may have brought an old time with it. */
  readonly modified: number;
  /**
   * When the file was last written, renamed or given other rights, in seconds since 1970 (its ctime): a copy that was
   * put back shows by it, even with the old time of modification.
   */
  readonly changed: number;
}

/** Files by path, e.g. `{ "/etc/default/etcd": { content: "…", mode: "0644", … } }`. Absent ones are left out. */
export function filesProbe(paths: readonly string[]): Probe<{ [path: string]: FoundFile }> {
  return {
    // Two lines a file, so that absent ones keep the count.
    script: paths
      .map(
        (path) =>
          `if [ -f ${quote(path)} ]; then stat -c '%a %U %G %Y %Z' ${quote(path)}; base64 -w0 ${quote(path)}; echo; else echo; echo; fi`,
      )
      .join("\n"),
    parse(output) {
      const lines = output.split("\n");
      const found: { [path: string]: FoundFile } = {};
      paths.forEach((path, i) => {
        const [mode, owner, group, modified, changed] = (lines[2 * i] ?? "").split(" ");
        if (!mode || !owner || !group) return;
        const content = Buffer.from(lines[2 * i + 1] ?? "", "base64").toString();
        found[path] = {
          content,
          mode: mode.padStart(4, "0"),
          owner,
          group,
          modified: Number(modified),
          changed: Number(changed),
        };
      });
      return found;
    },
  };
}

/** A directory as it stands on a host. */
export type FoundDirectory = Pick<FoundFile, "mode" | "owner" | "group">;

/** Directories by path. Absent ones are left out. */
export function directoriesProbe(
  paths: readonly string[],
): Probe<{ [path: string]: FoundDirectory }> {
  return {
    script: paths
      .map(
        (path) => `if [ -d ${quote(path)} ]; then stat -c '%a %U %G' ${quote(path)}; else echo; fi`,
      )
      .join("\n"),
    parse(output) {
      const lines = output.split("\n");
      const found: { [path: string]: FoundDirectory } = {};
      paths.forEach((path, i) => {
        const [mode, owner, group] = (lines[i] ?? "").split(" ");
        if (mode && owner && group) found[path] = { mode: mode.padStart(4, "0"), owner, group };
      });
      return found;
    },
  };
}
