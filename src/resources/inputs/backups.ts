/** Backups as a whole: taken, received and looked after. */
export interface BackupsInputs {
  readonly cluster: string;
  readonly host: string;
  /** Barman's folder of the cluster: `/var/lib/barman/demo`. */
  readonly home: string;
  /** Timers of systemd that must run; found: those that do. */
  readonly timers: readonly string[];
  /** Names of Barman's own checks that fail, but for those of what is past: none is wanted. */
  readonly failedChecks: readonly string[];
  /** `taken` is wanted, or at least being taken; `none` if there is no backup. */
  readonly firstBackup: string;
}
