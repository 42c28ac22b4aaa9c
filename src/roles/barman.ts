import { ANY_HOST, forMajor } from "../distributions/distributions";
import { BARMAN_CHECK } from "./barman-check";
import { COPYING } from "./copying";
import type { Role } from "./role";

/** What the backup host runs: what stands for Barman and receives WAL, and what its timers start or people ask for. */
export const BARMAN_UNITS = {
  receiver: "pgherd-barman.service",
  upkeep: "pgherd-barman-tick.service",
  backup: "pgherd-backup.service",
  /** Out of turn. */
  backupNow: "pgherd-backup-now.service",
  verify: "pgherd-backup-verify.service",
} as const;

/** The timer of a unit that has one. */
export function timerOf(unit: string): string {
  return unit.replace(".service", ".timer");
}

/** The backup host. */
export const barman: Role = {
  name: "barman",
  after: ["patroni", "haproxy"],
  hosts: ({ backup }) => (backup ? [{ path: "backup.host", host: backup.host }] : []),
  user: "barman",

  // PostgreSQL itself too: WAL is received by its program, and backups are proven by starting it from them.
  software: () => ["barman", "postgresql", ...COPYING],
  packages: ({ postgresql }) => postgresql.packages,
  sameVersions: [],
  leastVersion: { software: "barman", version: "3.4.0", setting: "backup" },

  ports: [],
  traffic: [],
  logins: ["members"],

  secrets: ({ backup }) => (backup ? [{ name: "barman" }, { name: "streaming-barman" }] : []),
  directories: [
    {
      owner: "barman",
      setting: "backup.directory",
      path: ({ backup }) => backup?.directory,
      name: "the backups",
    },
  ],
  database: true,
  kernel: {},

  unit: BARMAN_UNITS.receiver,
  journal: Object.values(BARMAN_UNITS),
  // Its timers and settings are read whenever one of its programs starts; the receiver itself has to start anew.
  loading: "restart",
  effect: "restarts its receiver of WAL, which goes on where it was",
  felt: false,
  waitForStart: true,
  validate: (cluster) => ({ [serverFile(cluster)]: { python: BARMAN_CHECK, user: "barman" } }),
  programs: { pg_receivewal: `^${forMajor(ANY_HOST.paths.programs, "[0-9]*")}/pg_receivewal ` },
};

/** Where Barman reads what it is told of a cluster. */
export function serverFile(cluster: string): string {
  return `/etc/barman.d/${cluster}.conf`;
}
