import { ConnectError, PgherdError } from "../errors";
import { oneCauseOnce } from "../operations/one-cause";
import type { Context } from "./context";

const TOLD = "hosts out of reach";

/**
 * What comes of a resource whose host could not be reached in a refresh. The first fails, and tells of all hosts of the
 * stack that cannot be reached, each cause once: the run ends by that, and nothing is changed. The others on these hosts stay
 * as they are recorded, where they would say the same again.
 * @param known the recorded state.
 * @throws PgherdError with all that is to be told
 */
export async function outOfReach<T>(context: Context, error: ConnectError, known: T): Promise<T> {
  const errors = await context.once(TOLD, async () => [error, ...(await refusals(context))]);
  // One that was there a moment ago.
  if (!errors.some(({ host }) => host === error.host)) throw error;
  if (context.told.has(TOLD)) return known;
  context.told.add(TOLD);
  const hosts = [...new Set(errors.map(({ host }) => host))].sort();
  const messages = errors.map(({ message }) => message).sort();
  throw new PgherdError(oneCauseOnce(messages, hosts).join("\n"));
}

async function refusals(context: Context): Promise<ConnectError[]> {
  const logins = await Promise.allSettled(
    context
      .hostNames()
      .map((name) => context.host(name).observe({ script: ":", parse: () => undefined })),
  );
  return logins.flatMap((login) =>
    login.status === "rejected" && login.reason instanceof ConnectError ? [login.reason] : [],
  );
}
