import type { Probe } from "../host/host";
import { asUser, quote } from "../host/shell";

/**
 * Directories of `unix_socket_directories` in which a server cannot make its socket, each with why: it does not start then
 * (PostgreSQL, utils/init/miscinit.c, CreateLockFile). A trial has its own directory: two servers on a port share none.
 * @param value as a file has it: `/run/postgresql, /tmp`.
 */
export function closedSocketDirectoriesProbe(
  dataDirectory: string,
  value: string,
): Probe<readonly string[]> {
  const looks = directoriesOf(value).map((directory) => {
    const path = quote(directory.startsWith("/") ? directory : `${dataDirectory}/${directory}`);
    return `if [ ! -d ${path} ]; then printf '%s\\n' ${quote(`there is no directory "${directory}" (unix_socket_directories)`)}
elif ! { [ -w ${path} ] && [ -x ${path} ]; }; then
  printf '%s\\n' ${quote(`the user postgres may not write to "${directory}" (unix_socket_directories)`)}
fi`;
  });
  return {
    script: asUser("postgres", ["export LC_ALL=C", ...looks].join("\n")),
    parse: (output) => output.split("\n").filter((line) => line !== ""),
  };
}

/** src/backend/utils/adt/varlena.c, SplitDirectoriesString; one that begins with @ is in no file system. */
function directoriesOf(value: string): string[] {
  return [...value.matchAll(/\s*(?:"((?:[^"]|"")*)"|([^",][^,]*))\s*/g)]
    .map(([, quoted, plain = ""]) => quoted?.replaceAll('""', '"') ?? plain.trim())
    .filter((directory) => directory !== "" && !directory.startsWith("@"));
}
