import { parse } from "yaml";
import { HealthError } from "../errors";
import { loadedProbe, type LoadedFiles } from "../facts/loaded";
import { loadErrors, sameLines } from "../operations/loaded";
import { waitFor } from "../operations/wait";
import { askPostgres } from "./cluster-view";
import type { Context } from "./context";
import { journalctl } from "../roles/journal";

/** What a member's Patroni is told of PostgreSQL. */
interface MemberFile {
  readonly postgresql?: { readonly listen?: unknown; readonly pg_hba?: unknown };
}

/** Patroni reads its files again in its next round (loop_wait, at most some tens of seconds). */
const LOADED_SECONDS = 90;

const NEXT = `pgherd logs of the member, and ${journalctl("patroni")} there.`;

/**
 * Waits until the server of a member has loaded the lines of pg_hba.conf that stand in Patroni's file there. One that takes
 * no connections is not waited for: it reads them when it starts.
 * @returns what the server cannot load, in its own words; nothing if all is loaded.
 */
export async function untilLoaded(
  context: Context,
  urn: string,
  host: string,
  memberFile: string,
): Promise<string[]> {
  const { postgresql } = parse(memberFile) as MemberFile;
  const port = Number(/:(\d+)$/.exec(String(postgresql?.listen))?.[1]);
  const lines = postgresql?.pg_hba as string[];
  return waitFor<string[]>(
    async () => {
      const found = await askPostgres(context, host, loadedProbe(port));
      return found ? judge(host, lines, found) : { done: [] };
    },
    {
      expected: `PostgreSQL on ${host} to load pg_hba.conf`,
      seconds: LOADED_SECONDS,
      next: NEXT,
      progress: (message) => context.progress(urn, message),
    },
  );
}

function judge(
  host: string,
  lines: readonly string[],
  found: LoadedFiles,
): { done: string[] } | { missing: string } {
  if (!sameLines(found.hba, lines)) return { missing: "Patroni has not written it yet" };
  const errors = loadErrors(host, found);
  if (errors.length > 0) return { done: errors };
  return found.isRead ? { done: [] } : { missing: "the server has not read it yet" };
}

/** @throws HealthError if a server cannot load what it was given. @param undone what has been done about it. */
export function demandLoaded(errors: readonly string[], undone: string): void {
  if (errors.length === 0) return;
  throw new HealthError(
    `${errors.join("\n")}\n${undone}`,
    `Next: mend it in the stack, or what that host lacks; ${NEXT}`,
  );
}
