import type { FullDisk } from "../facts/full-disk";
import { sizeOf } from "./words";

/** That a member has no room for its data, and what helps. @param down whether its server has stopped. */
export function describeFull(member: string, disks: readonly FullDisk[], down: boolean): string[] {
  return disks.map(({ of, mount, free, noFiles }) => {
    const left = noFiles && free > 0 ? "no room for another file" : `${sizeOf(free)} left`;
    return (
      `${member}: the file system at ${mount}, where ${of} is, is full: it has ${left} for PostgreSQL. ` +
      "Make room there, or enlarge it, and delete nothing by hand of what is PostgreSQL's, pg_wal least of all" +
      (down ? ": Patroni then starts it by itself." : ".")
    );
  });
}
