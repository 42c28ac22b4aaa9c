import type { Probe } from "../../host/host";
import { asUser } from "../../host/shell";
import { ORIGINAL } from "./source";

/** Files that a server reads from elsewhere, as they were before a migration, and the sums of them. */
export const INCLUDED = `${ORIGINAL}/included.tar`;
export const INCLUDED_SUMS = `${ORIGINAL}/included.sha256`;

/** Which of them are not as they were. Paths. */
interface ChangedFiles {
  readonly changed: readonly string[];
  /** Those that are gone, or that postgres cannot read any more: the server would not start. */
  readonly gone: readonly string[];
}

/** Nothing of what an earlier version has kept, which had no such files. */
export const changedFilesProbe: Probe<ChangedFiles> = {
  script: `if [ -f ${INCLUDED_SUMS} ]; then
{
# On standard error it says again what its answer says of a file that is gone.
${asUser("postgres", "LC_ALL=C sha256sum -c --quiet - <&3 2>/dev/null || [ $? = 1 ]")}
} 3<${INCLUDED_SUMS}
fi`,
  parse(output) {
    // One may be read by several names.
    const lines = [...new Set(output.split("\n"))];
    const ending = (end: string) =>
      lines.filter((line) => line.endsWith(end)).map((line) => `/${line.slice(0, -end.length)}`);
    return { changed: ending(": FAILED"), gone: ending(": FAILED open or read") };
  },
};
