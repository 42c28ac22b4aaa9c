import {
  catalogOfBackupsProbe,
  slotProbe,
  type BackupCatalog,
  type SlotState,
} from "../../facts/barman";
import { assembleBackups, type BackupStatus } from "../backup-status";
import { answerOf, type RoleHealth } from "./role-health";

export interface BarmanAnswer {
  /** Of the backup host. */
  readonly backups?: BackupCatalog;
  /** Of the leader: the slot that keeps WAL for the backups. */
  readonly slot?: SlotState;
}

export interface BarmanState {
  /** Nothing where the stack has no backups. */
  readonly backup?: BackupStatus;
}

/** The backups, on their own host and on the leader. */
export const barmanHealth: RoleHealth<BarmanAnswer, BarmanState> = {
  roles: ["barman"],
  hosts: ({ backup }) => (backup ? [backup.host] : []),
  questions: ({ backup, patroni }, host) =>
    backup
      ? {
          ...(backup.host === host && {
            backups: catalogOfBackupsProbe(backup.home, backup.results),
          }),
          ...(Object.hasOwn(patroni.members, host) && {
            slot: slotProbe(patroni.port, backup.slot),
          }),
        }
      : {},
  state: ({ backup }, answers) =>
    backup
      ? {
          backup: assembleBackups(
            backup,
            answerOf(answers, backup.host)?.backups,
            answers.find(({ slot }) => slot !== undefined)?.slot,
          ),
        }
      : {},

  clusterProblems: (_plan, _answers, { backup }) => backup?.problems ?? [],
};
