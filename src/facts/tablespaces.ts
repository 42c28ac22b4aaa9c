import { z } from "zod";
import { FactError } from "../errors";
import type { Probe } from "../host/host";
import { asOwner, EXCHANGEABLE } from "../host/ownership";
import { quote } from "../host/shell";
import { jsonOf } from "./json";

/** A tablespace in a backup. */
export interface BackupTablespace {
  readonly name: string;
  /** Where it was on the server that the backup was taken of: `/srv/figures`. */
  readonly location: string;
  /** Bytes of it in the backup. */
  readonly size: number;
}

const ANSWER = z.array(
  z.object({ name: z.string(), location: z.string(), size: z.number().nonnegative() }),
);

/** Reads Barman's record, in which they stand as a list of Python's (barman/infofile.py, output_tablespace_list). */
const READ = `import ast, json, os, sys
home, backup = sys.argv[1:]
records = [f"{home}/meta/{backup}-backup.info", f"{home}/base/{backup}/backup.info"]
lines = open(next(filter(os.path.exists, records)), encoding="utf-8").read().splitlines()
text = [line.split("=", 1)[1] for line in lines if line.startswith("tablespaces=")][-1]
def size(folder):
    return sum(os.lstat(os.path.join(at, name)).st_size for at, _, names in os.walk(folder) for name in names)
print(json.dumps([{"name": name, "location": location, "size": size(f"{home}/base/{backup}/{oid}")}
    for name, oid, location in ast.literal_eval(text) or []]))`;

/** The tablespaces of a backup. @param id of one that is complete */
export function backupTablespacesProbe(home: string, id: string): Probe<BackupTablespace[]> {
  return {
    script: asOwner(
      "barman",
      `${home}/.`,
      `python3 -I -c ${quote(READ)} ${quote(home)} ${quote(id)}`,
    ),
    parse(output) {
      const read = ANSWER.safeParse(jsonOf(output));
      if (read.success) return read.data;
      throw new FactError(
        `expected the tablespaces of backup ${id} in Barman's record of it in ${home}, found: ${output.slice(0, 200)}.`,
        "Take another backup (--backup), or restore with barman.",
      );
    },
  };
}

/** Where the tablespaces of a data directory lie: what the user postgres says of it, and no more. */
export function locationsProbe(dataDirectory: string): Probe<string[]> {
  const links = quote(`${dataDirectory}/pg_tblspc`);
  return {
    script: asOwner(
      "postgres",
      `${dataDirectory}/.`,
      `[ -d ${links} ] || exit 0
find ${links} -mindepth 1 -maxdepth 1 -type l -printf '%l\\0' | base64 -w0`,
    ),
    parse: (output) =>
      Buffer.from(output, "base64")
        .toString()
        .split("\0")
        .filter((one) => one !== ""),
  };
}

/** What there is at a place where a tablespace is, or is to be. */
export interface Place {
  /** With all links followed. */
  readonly path: string;
  readonly kind: "absent" | "directory" | "other";
  /** Who owns the directory. */
  readonly owner?: string;
  /** Whether it is a file system of its own, which cannot be renamed. */
  readonly mounted: boolean;
  /** Names in it. */
  readonly holds: readonly string[];
  /** Why nothing can be renamed or made beside it, as who may change the directory that it is in; empty if it can. */
  readonly beside: string;
  /** Mount point of the file system that it lies on, or would. */
  readonly fileSystem: string;
  /** Bytes that are free there. */
  readonly free: number;
}

/** @param asked an absolute path without line breaks */
export function placeProbe(asked: string): Probe<Place> {
  return {
    script: `${EXCHANGEABLE}
at=$(realpath -m -- ${quote(asked)})
printf 'path %s\\n' "$at"
parent=\${at%/*}
up=$at
while [ ! -d "$up" ]; do up=$(dirname "$up"); done
df -B1 --output=avail,target "$up" | tail -n 1 | sed 's/^ */room /'
if [ -d "$at" ]; then
  echo "owner $(stat -c %U "$at")"
  ! mountpoint -q -- "$at" || echo mounted
  if [ "$(stat -c %U "$at")" = postgres ]; then runuser -u postgres -- ls -A -I lost+found -- "$at" | sed 's/^/holds /'; fi
elif [ -e "$at" ]; then echo other
fi
if [ ! -d "$parent/" ]; then echo "beside there is no directory $parent"
elif found=$(exchangeable "$parent/.") && [ -n "$found" ] && ! runuser -u postgres -- test -w "$parent/" -a -x "$parent/"; then
  echo "beside neither root alone nor postgres can change $parent: $found"
fi`,
    parse(output) {
      const lines = output.split("\n");
      const all = (key: string) =>
        lines.flatMap((line) => (line.startsWith(`${key} `) ? line.slice(key.length + 1) : []));
      const [, free, fileSystem] = /^(\d+) +(.*)$/.exec(all("room")[0] ?? "") ?? [];
      const [owner] = all("owner");
      return {
        path: all("path")[0] ?? "",
        kind: owner !== undefined ? "directory" : lines.includes("other") ? "other" : "absent",
        ...(owner !== undefined && { owner }),
        mounted: lines.includes("mounted"),
        holds: all("holds"),
        beside: all("beside")[0] ?? "",
        fileSystem: fileSystem ?? "",
        free: Number(free) || 0,
      };
    },
  };
}
