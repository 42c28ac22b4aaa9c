import { ANY_HOST, forMajor } from "../distributions/distributions";
import type { Probe } from "../host/host";
import { words } from "../host/shell";

/** A library of an extension that says something of being loaded at PostgreSQL's start. */
interface PreloadedLibrary {
  readonly extension: string;
  /** In PostgreSQL's own folder: `pg_stat_statements`. */
  readonly library: string;
  /** Its own words: `pg_stat_statements must be loaded via shared_preload_libraries`. */
  readonly says: string;
}

/** What a host knows of extensions: one that it does not have is in neither list. */
export interface Preloads {
  readonly there: readonly string[];
  readonly preloaded: readonly PreloadedLibrary[];
}

/** PostgreSQL's own variable, which a library may look at that works without being preloaded too (pg_prewarm). */
const VARIABLE = "process_shared_preload_libraries_in_progress";

/**
 * What the libraries of these extensions say of `shared_preload_libraries`: one that has to be in there names it where it
 * refuses to work. Nothing is said where there is no PostgreSQL of this version yet.
 */
export function preloadsProbe(version: number, extensions: readonly string[]): Probe<Preloads> {
  return {
    script: `folder=${forMajor(ANY_HOST.paths.extensions, version)}
libraries=${forMajor(ANY_HOST.paths.libraries, version)}
for name in ${words(extensions)}; do
  [ -f "$folder/$name.control" ] || continue
  printf 'there\\t%s\\n' "$name"
  {
    sed -nE "s/^[[:space:]]*module_pathname[[:space:]]*=[[:space:]]*'(\\\\\\$libdir\\/)?([A-Za-z0-9_.+-]+)'.*/\\2/p" "$folder/$name.control"
    # Some name it in their SQL only.
    cat "$folder/$name"--*.sql 2>/dev/null | sed -nE "s/.*'\\\\\\$libdir\\/([A-Za-z0-9_.+-]+)'.*/\\1/p"
  } | sort -u | while read -r library; do
    [ -f "$libraries/$library.so" ] || continue
    LC_ALL=C grep -aoE '[[:print:]]*shared_preload_libraries[[:print:]]*' "$libraries/$library.so" | grep -vxF ${VARIABLE} |
      head -n 1 | cut -c 1-200 | while read -r says; do printf 'says\\t%s\\t%s\\t%s\\n' "$name" "$library" "$says"; done
  done
done`,
    parse(output) {
      const lines = output.split("\n").map((line) => line.split("\t"));
      return {
        there: lines.flatMap(([kind, name = ""]) => (kind === "there" ? [name] : [])),
        preloaded: lines.flatMap(([kind, extension = "", library = "", says = ""]) =>
          kind === "says" ? [{ extension, library, says }] : [],
        ),
      };
    },
  };
}
