import type { Probe } from "../host/host";
import { EXCHANGEABLE } from "../host/ownership";
import { quote, words } from "../host/shell";

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

/**
 * Files by path, e.g. `{ "/etc/default/etcd": { content: "…", mode: "0644", … } }`. Absent ones are left out.
 * @param owners as whom those are read that root could be led away from: a link of a lesser user's leads no further then.
 */
export function filesProbe(
  paths: readonly string[],
  owners: { readonly [path: string]: { readonly owner: string } } = {},
): Probe<{ [path: string]: FoundFile }> {
  const reader = (path: string) => {
    const owner = owners[path]?.owner ?? "root";
    return owner === "root" ? "nobody" : owner;
  };
  return {
    // Two lines a file, so that absent ones keep the count.
    script:
      paths.length === 0
        ? ":"
        : `${EXCHANGEABLE}
show='if [ -f "$1" ]; then stat -c "%a %U %G %Y %Z" "$1"; base64 -w0 "$1"; echo; else echo; echo; fi'
look() {
  IFS= read -r found
  if [ -z "$found" ]; then set -- "$1"; else set -- "$1" runuser -u "$2" --; fi
  path=$1
  shift
  # A user who is not there yet has no files.
  "$@" /bin/sh -c "$show" sh "$path" </dev/null || printf '\\n\\n'
}
exchangeable ${words(paths)} | {
${paths.map((path) => `look ${words([path, reader(path)])}`).join("\n")}
}`,
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
