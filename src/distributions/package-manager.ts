import type { Probe } from "../host/host";

/** Somebody who holds one of the locks of a package manager. */
export interface LockHolder {
  readonly lock: string;
  readonly pid: number;
  /** Its command line. */
  readonly command: string;
}

/** What installs software on a distribution: what it is asked, what it is told, and what people are told to tell it. */
export interface PackageManager {
  /** Installed versions by package, e.g. `{ "etcd-server": "3.5.16-4" }`. What is not installed is left out. */
  readonly installedProbe: (packages: readonly string[]) => Probe<{ [name: string]: string }>;
  /**
   * Versions that could be installed of packages that are not, by package. What the package sources do not have is left
   * out, and what is installed: reading the sources takes longer than all else that is asked of a host.
   */
  readonly candidatesProbe: (packages: readonly string[]) => Probe<{ [name: string]: string }>;
  /** Which packages have an older version than the one given: `{ haproxy: "3.0.11-1" }`. Absent ones are not told. */
  readonly olderProbe: (versions: { readonly [name: string]: string }) => Probe<string[]>;
  /** Who keeps packages from being installed now; nobody mostly. @param locks files in place of its own. */
  readonly lockHolderProbe: (locks?: readonly string[]) => Probe<LockHolder | undefined>;

  /** A script that says `unfinished NAME` of each package that is neither installed nor gone. */
  readonly unfinished: string;
  /** A script that says `packaged NAME PATH` of each package that has one of these directories, or one above, in its list. */
  readonly holdersOf: (directories: readonly string[]) => string;
  /** A command that says which package a file is of; nothing if it is of none. @param file as a word of the shell. */
  readonly holderOf: (file: string) => string;

  /** A script that installs packages in one transaction, without starting any of their services. */
  readonly install: (packages: readonly string[]) => string;
  /** A file that says which services a package may start or restart; there is one for the whole host. */
  readonly policy: string;
  /** A script that removes it, if it is pgherd's. */
  readonly removePolicy: string;

  /** Commands that people are told to run. */
  readonly byHand: {
    /** Reads the package sources anew. */
    readonly refresh: string;
    /** Where those are named. */
    readonly sources: string;
    /** Goes on with what was cut off. */
    readonly finish: string;
    /** What helps where that does not do. */
    readonly mend: string;
    readonly install: (name: string) => string;
    /** Removes a package with its configuration. */
    readonly purge: (name: string) => string;
  };
}
