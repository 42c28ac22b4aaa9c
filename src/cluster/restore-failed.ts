import { setTimeout as sleep } from "node:timers/promises";
import { PgherdError } from "../errors";
import type { RestoreRecord } from "../facts/restore-record";
import { isOutOfReach } from "../operations/ask";
import { observe } from "./cluster";
import { byFolder, type RestorableCluster } from "./restore-plan";
import { type CutOff, cutOffRestore, keptFolders, type Undone, undoRestore } from "./restore-undo";

/** How long a restore that has failed tries to put the data back by itself, and how long it waits for every member. */
const UNDO_SECONDS = 300;
const PATIENCE_SECONDS = 60;
const PAUSE_MS = 3000;

/**
 * Puts the data back after a restore has failed, by new connections if those that there are have broken.
 * @throws PgherdError always: what became of it.
 */
export async function failRestore(
  cluster: RestorableCluster,
  record: RestoreRecord,
  problem: unknown,
  before: readonly string[],
): Promise<never> {
  const reason = problem instanceof Error ? problem.message : String(problem);
  const started = Date.now();
  const passed = (seconds: number) => Date.now() - started > seconds * 1000;
  const tryUndo = async (): Promise<Undone & Pick<CutOff, "silent">> => {
    for (;;) {
      try {
        const all = { record, within: record.members, silent: [] };
        const cutOff = passed(PATIENCE_SECONDS) ? await cutOffRestore(cluster) : all;
        return { ...(await undoRestore(cluster, cutOff)), silent: cutOff.silent };
      } catch (error) {
        if (passed(UNDO_SECONDS)) throw stuck(record, reason, error);
        const why = isOutOfReach(error) ? "a host is out of reach" : "it failed";
        cluster.progress(`putting the old data back: ${why}, trying again`);
        await sleep(PAUSE_MS);
        cluster.renew();
      }
    }
  };
  const { silent, ...undone } = await tryUndo();
  const again =
    silent.length === 0
      ? ""
      : ` ${silent.join(", ")} is out of reach: when that has changed, pgherd restore --undo.`;
  const left = await untilAsBefore(cluster, before);
  const state =
    left.length === 0 && silent.length === 0
      ? "the cluster runs as before."
      : `the data from before is back.${again}${left.map((one) => `\n  - ${one}`).join("")}`;
  const folders = byFolder(keptFolders(undone));
  throw new PgherdError(
    `the restore failed; ${state}\n${reason}`,
    record.phase === "stopping"
      ? "No data was moved."
      : folders.length === 0
        ? "Nothing of what was restored was left."
        : `What was restored is kept: ${folders.join(" and ")}.`,
  );
}

/** Waits until nothing is out of order that was in order before; what still is after a while is returned. */
async function untilAsBefore(
  cluster: RestorableCluster,
  before: readonly string[],
): Promise<readonly string[]> {
  cluster.progress("looking at the cluster");
  for (const end = Date.now() + PATIENCE_SECONDS * 1000; ; await sleep(PAUSE_MS)) {
    const { problems } = await observe(cluster);
    const left = problems.filter((one) => !before.includes(one));
    if (left.length === 0 || Date.now() > end) return left;
  }
}

function stuck({ first }: RestoreRecord, reason: string, error: unknown): PgherdError {
  const also = error instanceof Error ? error.message : String(error);
  return new PgherdError(
    `the restore failed, and the data from before could not be put back yet.\n${reason}\nThen: ${also}`,
    `It is safe beside the data directories. As soon as ${first} can be reached: pgherd restore --undo`,
  );
}
