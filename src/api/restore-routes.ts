import type { FastifyInstance } from "fastify";
import type { z } from "zod";
import { insist, Refusal, type Intent } from "../cluster/cluster";
import { consentTo, demandConsent } from "../cluster/consent";
import { performRestore } from "../cluster/restore";
import {
  considerRestore,
  type RestorableCluster,
  type RestoreIntent,
} from "../cluster/restore-plan";
import { considerResume, finishRestore } from "../cluster/restore-resume";
import { considerUndo, cutOffRestore, undoRestore, type CutOff } from "../cluster/restore-undo";
import { acting, looking } from "./acts";
import * as shapes from "./backup-schemas";
import { changing, describe } from "./describe";
import type { ApiOptions, Restores } from "./options";

type Query = z.infer<typeof shapes.restoreQuery>;
type Request = z.infer<typeof shapes.restoreRequest>;
type Confirmed = z.infer<typeof shapes.confirmed>;

/** What is decided before something is done: what it is, and the facts that one agrees to. */
interface Decided<T> {
  readonly intent: Intent;
  readonly facts: object;
  readonly found: T;
}

/**
 * Restores in place. Each stops all members and loses what was written since, so that what does it takes the word for
 * exactly this which the same call with GET has told.
 */
export function addRestores(app: FastifyInstance, options: ApiOptions, restores: Restores): void {
  const inPlace = (query: Query) => async (cluster: RestorableCluster) => {
    const found = await considerRestore(cluster, restores.requestOf(query));
    return { intent: found, found, facts: factsOf(cluster, found) };
  };
  const cutOff =
    (verb: string, consider: (cluster: RestorableCluster, at: CutOff) => Promise<Intent>) =>
    async (cluster: RestorableCluster) => {
      const found = await cutOffRestore(cluster);
      return {
        ...{ intent: await consider(cluster, found), found },
        facts: { verb, cluster: cluster.plan.name, ...found },
      };
    };
  const undo = cutOff("undo", considerUndo);
  const resume = cutOff("resume", considerResume);
  const consider = <T>(decide: (cluster: RestorableCluster) => Promise<Decided<T>>) =>
    looking(options, async (opened) => told(await decided(await restores.of(opened), decide)));

  app.get<{ Querystring: Query }>(
    "/api/v1/restore",
    describe(
      "What a restore in place would do and lose now.",
      shapes.restoreIntent,
      shapes.restoreQuery,
    ),
    ({ query }) => consider(inPlace(query)),
  );
  app.get(
    "/api/v1/restore/undo",
    describe("What putting the data from before back would do.", shapes.restoreIntent),
    () => consider(undo),
  );
  app.get(
    "/api/v1/restore/resume",
    describe("What going on with a restore that was cut off would do.", shapes.restoreIntent),
    () => consider(resume),
  );
  app.post<{ Body: Request }>(
    "/api/v1/restore",
    changing(
      "Restores the cluster in place; answers when all members follow the restored data.",
      shapes.restoreOutcome,
      shapes.restoreRequest,
    ),
    ({ body: { confirm, ...query } }) =>
      acting(options, "restore", async (opened) => {
        const cluster = await restores.of(opened);
        const intent = await agreed("The restore", cluster, inPlace(query), confirm);
        return ended(cluster, options.ending, (signal) => performRestore(cluster, intent, signal));
      }),
  );
  app.post<{ Body: Confirmed }>(
    "/api/v1/restore/undo",
    changing(
      "Puts the data from before back, after a restore that was cut off.",
      shapes.undoOutcome,
      shapes.confirmed,
    ),
    ({ body: { confirm } }) =>
      acting(options, "undoing the restore", async (opened) => {
        const cluster = await restores.of(opened);
        const found = await agreed("Undoing the restore", cluster, undo, confirm);
        return { undone: found.within, ...(await undoRestore(cluster, found)) };
      }),
  );
  app.post<{ Body: Confirmed }>(
    "/api/v1/restore/resume",
    changing(
      "Brings a restore to its end that was cut off.",
      shapes.resumeOutcome,
      shapes.confirmed,
    ),
    ({ body: { confirm } }) =>
      acting(options, "going on with the restore", async (opened) => {
        const cluster = await restores.of(opened);
        return finishRestore(cluster, await agreed("Going on", cluster, resume, confirm));
      }),
  );
}

/** What decides what a restore does and loses; not how long ago something was. */
function factsOf({ plan }: RestorableCluster, intent: RestoreIntent): object {
  const { target, backup, timeline, first, members, leads, systemIdentifier = "" } = intent;
  const { tablespaces: { places, moved } = {} } = intent;
  return {
    ...{ verb: "restore", cluster: plan.name, target, backup: backup.id, timeline },
    ...{ first, members, leads, systemIdentifier, places, moved },
  };
}

/** A refusal is an answer to who only asks. */
async function decided<T>(
  cluster: RestorableCluster,
  decide: (cluster: RestorableCluster) => Promise<Decided<T>>,
): Promise<Pick<Decided<T>, "intent"> & Partial<Decided<T>>> {
  try {
    return await decide(cluster);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { intent: { refusals: error.reasons, objections: [], effects: [] } };
  }
}

function told<T>({ intent, facts }: Pick<Decided<T>, "intent"> & Partial<Decided<T>>): object {
  const { refusals, objections, effects } = intent;
  const confirm = facts && refusals.length === 0 ? consentTo(facts) : undefined;
  return { refusals, objections, effects, confirm };
}

/** @throws Refusal if something speaks against it, or it is not what was agreed to */
async function agreed<T>(
  what: string,
  cluster: RestorableCluster,
  decide: (cluster: RestorableCluster) => Promise<Decided<T>>,
  confirm: string,
): Promise<T> {
  const { intent, facts, found } = await decide(cluster);
  insist(what, intent, false, "");
  demandConsent(what, confirm, facts, intent);
  return found;
}

/** Work that ends where it is when the server is stopped; what it has begun is taken back then. */
async function ended<T>(
  cluster: RestorableCluster,
  ending: AbortSignal | undefined,
  work: (signal?: AbortSignal) => Promise<T>,
): Promise<T> {
  // What is being waited for fails then.
  const renew = () => cluster.renew();
  ending?.addEventListener("abort", renew);
  try {
    return await work(ending);
  } finally {
    ending?.removeEventListener("abort", renew);
  }
}
