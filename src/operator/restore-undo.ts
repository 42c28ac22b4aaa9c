import { serves } from "../facts/member-state";
import { setTimeout as sleep } from "node:timers/promises";
import { ConnectError, PgherdError } from "../errors";
import { describeRestore, type FoundRestore, type RestoreRecord } from "../facts/restore-record";
import { forgetCluster, rememberCluster } from "../operations/restore";
import { putDataBack } from "../operations/restore-data";
import { Refusal, untilSeen, type Intent } from "./cluster";
import type { RestorableCluster } from "./restore-plan";
import {
  dataOf,
  forget,
  observeRestores,
  onDcs,
  onEach,
  receiveAgain,
  stampOf,
  start,
  stopAll,
} from "./restore-steps";

/** How long a restore that has failed tries to put the data back by itself, and how long it waits for every member. */
const UNDO_SECONDS = 300;
const PATIENCE_SECONDS = 60;
const PAUSE_MS = 3000;

/** A restore that was cut off, as the members tell of it. */
export interface CutOff {
  readonly record: RestoreRecord;
  /** The members that are still in it. */
  readonly within: readonly string[];
  /** Members that cannot be reached; they may be in it too. */
  readonly silent: readonly string[];
}

/**
 * The restore that was cut off; the furthest that a member knows of it counts.
 * @throws Refusal if there is none, or somebody is at work on it.
 */
export async function cutOffRestore(cluster: RestorableCluster): Promise<CutOff> {
  const { found, silent } = await observeRestores(cluster);
  const records = Object.values(found);
  const record = furthest(records);
  const problems = Object.values(silent).map(({ message }) => message);
  if (!record) throw new Refusal("This", ["no restore was cut off.", ...problems]);
  const busy = records.find(({ holder }) => holder !== undefined);
  if (busy) throw new Refusal("This", [describeRestore(busy)]);
  return { record, within: Object.keys(found), silent: Object.keys(silent) };
}

function furthest(records: readonly FoundRestore[]): RestoreRecord | undefined {
  const order: readonly string[] = ["stopping", "moving", "restored"];
  return [...records].sort((a, b) => order.indexOf(b.phase) - order.indexOf(a.phase))[0];
}

/** What putting the data back comes to. */
export function considerUndo(
  cluster: RestorableCluster,
  { record, within, silent }: CutOff,
): Intent {
  const { phase, aside, first } = record;
  const folders = within.map((name) => `${dataOf(cluster, name)}.${aside} on ${name}`);
  const whole = within.includes(first);
  return {
    refusals: silent.includes(first)
      ? [`${first} cannot be reached, and has to lead first with the data from before.`]
      : phase === "restored" && !whole
        ? [
            "the restore has come to its end, and only its records are left: `pgherd restore --resume` removes them.",
          ]
        : [],
    objections: [],
    effects: [
      ...silent.map(
        (name) => `leaves ${name} as it is, which cannot be reached: do this again when it can be`,
      ),
      ...(phase === "stopping"
        ? [`starts ${within.join(", ")} again: no data was moved`]
        : [
            whole
              ? `stops every member, puts the data from before back (${folders.join(", ")}), and starts ${first} first`
              : `stops ${within.join(", ")}, which the others have left behind, and puts the data from before back there`,
            "keeps what the restore has made beside it, as DIRECTORY.failed-restore-TIME",
            ...(phase === "restored"
              ? ["loses what was written since the restored data leads"]
              : []),
          ]),
    ],
  };
}

/**
 * Ends a restore by putting back what was there before. It may be run again, whatever was done of it.
 * @returns the end of the names under which what the restore has made is kept.
 */
export async function undoRestore(cluster: RestorableCluster, cutOff: CutOff): Promise<string> {
  const { record, within } = cutOff;
  const failed = `failed-restore-${stampOf(new Date())}`;
  if (record.phase !== "stopping") await putBack(cluster, cutOff, failed);
  await startAgain(cluster, cutOff);
  await receiveAgain(cluster);
  await forget(cluster, record, within);
  return failed;
}

async function putBack(
  cluster: RestorableCluster,
  { record, within, silent }: CutOff,
  failed: string,
): Promise<void> {
  const { aside, first, systemIdentifier } = record;
  await stopAll(cluster, { first, members: within }, false);
  cluster.progress("putting the old data back");
  await onEach(cluster, within, "putting data back", (name) =>
    putDataBack(dataOf(cluster, name), aside, failed),
  );
  // The others lead already, and follow their own.
  if (!within.includes(first)) return;
  const reached = { except: silent };
  await onDcs(cluster, "forgetting the attempt", forgetCluster, reached);
  if (systemIdentifier !== undefined) {
    const remember = (endpoints: readonly string[], name: string) =>
      rememberCluster(endpoints, name, systemIdentifier);
    await onDcs(cluster, "remembering the cluster", remember, reached);
  }
}

/** The one that has led first, so that none that knows less takes its place. */
async function startAgain(
  cluster: RestorableCluster,
  { record: { first, leads }, within }: CutOff,
): Promise<void> {
  if (within.includes(first)) await start(cluster, [first]);
  if (within.includes(first) && leads) {
    await untilSeen(cluster, `${first} to lead again`, 300, ({ members: seen }) =>
      seen.some(({ role, state }) => role === "leader" && serves(state)),
    );
  }
  await start(
    cluster,
    within.filter((name) => name !== first),
  );
}

/**
 * Puts the data back after a restore has failed, by new connections if those that there are have broken.
 * @throws PgherdError always: what became of it.
 */
export async function failRestore(
  cluster: RestorableCluster,
  record: RestoreRecord,
  problem: unknown,
): Promise<never> {
  const reason = problem instanceof Error ? problem.message : String(problem);
  const started = Date.now();
  const passed = (seconds: number) => Date.now() - started > seconds * 1000;
  const tryUndo = async (): Promise<{ failed: string; silent: readonly string[] }> => {
    for (;;) {
      try {
        const all = { record, within: record.members, silent: [] };
        const cutOff = passed(PATIENCE_SECONDS) ? await cutOffRestore(cluster) : all;
        return { failed: await undoRestore(cluster, cutOff), silent: cutOff.silent };
      } catch (error) {
        if (passed(UNDO_SECONDS)) throw stuck(record, reason, error);
        const why = error instanceof ConnectError ? "a host is out of reach" : "it failed";
        cluster.progress(`putting the old data back: ${why}, trying again`);
        await sleep(PAUSE_MS);
        cluster.renew();
      }
    }
  };
  const { failed, silent } = await tryUndo();
  const again =
    silent.length === 0
      ? ""
      : ` But for ${silent.join(", ")}, out of reach: when that has changed, pgherd restore --undo.`;
  throw new PgherdError(
    `the restore failed; the cluster runs as before.${again}\n${reason}`,
    record.phase === "stopping"
      ? "No data was moved."
      : `What was restored is kept on ${record.first} as ${dataOf(cluster, record.first)}.${failed}.`,
  );
}

function stuck({ first }: RestoreRecord, reason: string, error: unknown): PgherdError {
  const also = error instanceof Error ? error.message : String(error);
  return new PgherdError(
    `the restore failed, and the data from before could not be put back yet.\n${reason}\nThen: ${also}`,
    `It is safe beside the data directories. As soon as ${first} can be reached: pgherd restore --undo`,
  );
}
