import type { BackupSettings, ClusterSettings } from "../config/schema";
import { calendarOf } from "../config/schedule";
import { distributionOf } from "../distributions/distributions";
import { BARMAN_UNITS, timerOf } from "../roles/barman";
import { sandbox } from "./sandbox";
import { render } from "./template";
import type { Files } from "./types";

/** What the units run. */
export const RECEIVE = "/var/lib/pgherd/backup-receive";
export const TAKE = "/var/lib/pgherd/backup-take";
export const UPKEEP = "/var/lib/pgherd/backup-tick";

/** Where they leave what is measured of backups. */
export const METRICS = "/var/lib/pgherd/metrics";

/** What the backup host does by a timer, or because somebody asks for it. */
interface Task {
  readonly unit: string;
  readonly description: string;
  /** When it runs, as systemd writes it; none: when it is asked for. */
  readonly calendar?: string;
  readonly persistent: boolean;
  /** None: its unit is not one of Barman's own. */
  readonly barman?: { readonly command: string; readonly killMode: string; readonly nice: number };
}

function tasks({ name }: ClusterSettings, { schedule, verify }: BackupSettings): Task[] {
  return [
    {
      unit: BARMAN_UNITS.upkeep,
      description: `Barman's upkeep for ${name}`,
      calendar: "*:*:00",
      persistent: false,
      barman: { command: UPKEEP, killMode: "process", nice: 10 },
    },
    {
      unit: BARMAN_UNITS.backup,
      description: `Backup of ${name}`,
      calendar: calendarOf(schedule),
      persistent: true,
      barman: { command: TAKE, killMode: "mixed", nice: 10 },
    },
    {
      unit: BARMAN_UNITS.backupNow,
      description: `Backup of ${name} out of turn`,
      persistent: false,
      // Beside the one above, which waits for an idle moment of the disks, this one is asked for by somebody who waits.
      barman: { command: `${TAKE} --immediate-checkpoint`, killMode: "mixed", nice: 5 },
    },
    ...(verify
      ? [
          {
            unit: BARMAN_UNITS.verify,
            description: `Test restore of the newest backup of ${name}`,
            calendar: calendarOf(verify.schedule),
            persistent: true,
          },
        ]
      : []),
  ];
}

/** The timers that a backup host has. */
export function backupTimers(cluster: ClusterSettings, backup: BackupSettings): string[] {
  return tasks(cluster, backup)
    .filter(({ calendar }) => calendar)
    .map(({ unit }) => timerOf(unit));
}

/** Where a unit of pgherd's own stands. */
export function unitFile(unit: string): string {
  return `/etc/systemd/system/${unit}`;
}

/** The units of a backup host, with their timers. */
export function backupUnits(cluster: ClusterSettings, backup: BackupSettings): Files {
  const unit = (name: string, template: string, values: object): Files => ({
    [unitFile(name)]: {
      mode: "0644",
      owner: "root",
      group: "root",
      content: render(template, values),
    },
  });
  const receiverUnit = BARMAN_UNITS.receiver;
  // It talks to the members and to the entry point, and writes what is its own.
  const confined = sandbox({
    writes: [...new Set([backup.directory, distributionOf(cluster).homes.barman, METRICS])],
    optional: ["/var/log/barman"],
    network: ["AF_INET", "AF_INET6"],
  });
  return {
    ...unit(BARMAN_UNITS.receiver, "barman/receiver.service", {
      name: cluster.name,
      receive: RECEIVE,
      timers: backupTimers(cluster, backup).join(" "),
      sandbox: confined,
    }),
    ...Object.assign(
      {},
      ...tasks(cluster, backup).map(({ unit: name, barman, ...task }) => ({
        ...(barman &&
          unit(name, "barman/task.service", {
            ...task,
            ...barman,
            receiverUnit,
            sandbox: confined,
          })),
        ...(task.calendar && unit(timerOf(name), "barman/task.timer", { receiverUnit, ...task })),
      })),
    ),
  };
}
