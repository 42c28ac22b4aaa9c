import { PgherdError } from "../errors";
import { unitProbe } from "../facts/systemd";
import { quote } from "../host/shell";
import { isUp } from "../operations/units";
import { waitFor } from "../operations/wait";
import type { ServiceInputs } from "../resources/inputs/service";
import type { Role } from "../roles/roles";
import type { Context } from "./context";

/** Seconds that a daemon has to come up, and that it must stay up before it counts. */
const START_SECONDS = 30;

/** Waits until the daemon runs. @throws HealthError with what its journal says, if it does not */
export async function untilUp(
  context: Context,
  urn: string,
  { host }: ServiceInputs,
  { unit }: Role,
) {
  const next = `journalctl -u ${unit} -n 50`;
  try {
    await waitFor(
      async () => {
        const found = await context.host(host).observe(unitProbe(unit));
        return isUp(found) ? { done: true } : { missing: `it is ${found.active} (${found.sub})` };
      },
      {
        expected: `${unit} on ${host} to run`,
        seconds: START_SECONDS,
        next,
        progress: (message) => context.progress(urn, message),
      },
    );
  } catch (error) {
    throw await withJournal(context, host, unit, error);
  }
}

/** The error, and what the daemon itself said last: mostly the real cause. */
export async function withJournal(
  context: Context,
  host: string,
  unit: string,
  error: unknown,
): Promise<Error> {
  const journal = await context
    .host(host)
    .run("reading the journal", `journalctl -u ${quote(unit)} -n 15 --no-pager -o cat`);
  return new PgherdError(
    `${(error as Error).message}\nLast lines of its journal:\n${indent(journal)}`,
  );
}

function indent(text: string): string {
  return text.trim().replace(/^/gm, "  ");
}
