import { isOpenTo, lies, unfitFor, type Purpose } from "../config/directories";
import type { FoundHost } from "./found-host";

interface Place {
  readonly setting: string;
  readonly purpose: Purpose;
  readonly directory?: string | null;
  /** Where it really is, links followed. */
  readonly resolved: string;
  /** Whether the daemon has its data there already. */
  readonly inUse: boolean;
}

/** A link on the host may lead to where no setting could: what is given to a daemon's user is looked at where it is. */
export function resolvedDirectories({ requirement, facts, dcsUser }: FoundHost): string[] {
  const { data, dcs, backup } = facts.resolved;
  const places: Place[] = [
    {
      setting: "postgresql.dataDirectory",
      purpose: "postgres",
      // A server that is migrated has its data where the survey finds them.
      directory: requirement.adoptsPort ? null : requirement.dataDirectory,
      resolved: data,
      inUse: facts.data.found,
    },
    {
      setting: "dcs.dataDirectory",
      purpose: dcsUser,
      directory: requirement.dcsDirectory,
      resolved: dcs,
      inUse: facts.dcsFound,
    },
    {
      setting: "backup.directory",
      purpose: "barman",
      directory: requirement.backupDirectory,
      resolved: backup,
      inUse: facts.backupOwner !== "",
    },
  ];
  const there = places.filter(({ directory, resolved }) => directory && resolved !== "");
  return there.flatMap(({ setting, purpose, directory, resolved, inUse }, i) => {
    const reason = unfitFor(purpose, resolved);
    const software = facts.packaged.find(
      ({ path }) => !inUse && lies(resolved, path) && !isOpenTo(purpose, path),
    );
    const other = there
      .slice(0, i)
      .find((one) => lies(resolved, one.resolved) || lies(one.resolved, resolved));
    return [
      ...(reason
        ? [
            `expected ${directory} to be a directory of its own, found that it leads to ${resolved}, ${reason}. ` +
              `Remove the link, or choose another pgherd:cluster.${setting}. Nothing was touched.`,
          ]
        : []),
      ...(software && !reason
        ? [
            `expected ${directory} to be a directory of its own, found that ${software.path} belongs to the package ${software.name}. ` +
              `Choose another pgherd:cluster.${setting}. Nothing was touched.`,
          ]
        : []),
      ...(other
        ? [
            `expected ${directory} to be apart from ${other.directory}, found that they lead to ${resolved} and ${other.resolved}. ` +
              `Remove the link, or choose another pgherd:cluster.${setting}. Nothing was touched.`,
          ]
        : []),
    ];
  });
}

/** Barman would get all that is there, whoever needs it. */
export function backupsOfOthers({ requirement, facts }: FoundHost): string | undefined {
  if (!requirement.backupDirectory || ["", "barman"].includes(facts.backupOwner)) return;
  return (
    `expected ${requirement.backupDirectory} to be empty or barman's, found that it is not empty and ${facts.backupOwner}'s. ` +
    "Choose another pgherd:cluster.backup.directory, such as a new folder in it. Nothing was touched."
  );
}
