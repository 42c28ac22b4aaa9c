import { BACKUP_UNITS, catalogOfBackupsProbe, failedChecksProbe } from "../facts/barman";
import { archiveSegment, startBackup, startTimers } from "../operations/barman";
import { waitFor } from "../operations/wait";
import type { BackupsInputs } from "../resources/inputs/backups";
import type { Context } from "./context";
import type { ResourceType } from "./resource";

/** Seconds until a new receiver has its first segment, and Barman is content. */
const READY_SECONDS = 120;

/** Seconds that the first backup is waited for; a larger one goes on by itself. */
const FIRST_BACKUP_SECONDS = 120;

/** Checks of what is past, which no run can mend; `pgherd status` tells of it. */
const OF_THE_PAST = [
  "minimum redundancy requirements",
  "backup maximum age",
  "failed backups",
  "WAL archive",
  "archiver errors",
];

export const backups: ResourceType<BackupsInputs> = {
  identity: ["cluster"],
  id: ({ cluster }) => `${cluster}/backups`,

  async apply(context, urn, inputs) {
    const host = context.host(inputs.host);
    const progress = (message: string) => context.progress(urn, message);
    const next = `sudo -u barman barman check ${inputs.cluster} on ${inputs.host}; journalctl -u ${BACKUP_UNITS.receiver} -n 50 there`;
    const found = await look(context, inputs);
    const stopped = inputs.timers.filter((one) => !found.timers.includes(one));
    if (stopped.length > 0) await host.change("starting timers", startTimers(stopped));
    await waitFor(
      async () => {
        const failed = await failedChecks(context, inputs);
        return failed.length > 0 ? { missing: failed.join("; ") } : { done: true };
      },
      { expected: "Barman's checks to pass", seconds: READY_SECONDS, next, progress },
    );
    if (found.firstBackup === "none") await takeFirst(context, urn, inputs);
    return look(context, inputs);
  },

  async read(context, inputs) {
    return look(context, inputs);
  },

  /** Backups stay. The timers end with the receiver, which is a service of its own. */
  async delete() {},
};

async function look(context: Context, inputs: BackupsInputs): Promise<BackupsInputs> {
  const { host, timers } = inputs;
  const [active, failed, there] = await Promise.all([
    context.host(host).observe({
      script: `for timer in ${timers.join(" ")}; do
  systemctl -q is-active "$timer" && systemctl -q is-enabled "$timer" && echo "$timer"
done; :`,
      parse: (output) => output.split("\n").filter((line) => line !== ""),
    }),
    failedChecks(context, inputs),
    backupsThere(context, inputs),
  ]);
  return {
    ...inputs,
    timers: timers.filter((one) => active.includes(one)),
    failedChecks: failed,
    firstBackup: there.some(({ status }) => status !== "FAILED") ? "taken" : "none",
  };
}

async function failedChecks(context: Context, { cluster, host }: BackupsInputs): Promise<string[]> {
  const failed = await context.host(host).observe(failedChecksProbe(cluster));
  return failed.filter((check) => !OF_THE_PAST.some((one) => check.startsWith(one)));
}

async function backupsThere(context: Context, { host, home }: BackupsInputs) {
  const { backups: found } = await context.host(host).observe(catalogOfBackupsProbe(home, home));
  return found;
}

/** A cluster is not left without a backup until the night. */
async function takeFirst(context: Context, urn: string, inputs: BackupsInputs): Promise<void> {
  const host = context.host(inputs.host);
  context.progress(urn, "waiting for the first WAL");
  await host.change(
    "archiving the first WAL",
    archiveSegment(inputs.cluster, inputs.home, READY_SECONDS),
    {
      timeoutSeconds: 2 * READY_SECONDS,
    },
  );
  const before = (await backupsThere(context, inputs)).map(({ id }) => id);
  await host.change("starting the first backup", startBackup());
  const start = Date.now();
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, 1000));
    const [newest] = (await backupsThere(context, inputs)).filter(({ id }) => !before.includes(id));
    if (newest?.status === "DONE") return;
    if (newest?.status === "FAILED") {
      context.warn(urn, `the first backup failed: ${newest.error}. Next: pgherd backup now`);
      return;
    }
    if (Date.now() - start > FIRST_BACKUP_SECONDS * 1000) {
      context.info(urn, "the first backup goes on by itself; pgherd backup list shows it");
      return;
    }
    context.progress(urn, "taking the first backup");
  }
}
