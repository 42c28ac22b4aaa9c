import { Command } from "commander";
import pc from "picocolors";
import { z } from "zod";
import { UsageError } from "../errors";
import { patroniHistory, type History, type HistoryEvent } from "../cluster/history";
import type { Cluster } from "../cluster/cluster";
import { incomplete, LOOK_EXIT_CODES } from "./ask";
import { withStack, type StackOptions } from "./cluster";
import { during } from "./during";
import { pulumiOutput } from "./pulumi";
import { deeds, readLines } from "./record";
import { defaultAuditLog, recordFiles } from "./serve-options";
import { parseSince } from "./time";

interface HistoryOptions extends StackOptions {
  readonly lines: string;
  readonly since?: string;
  readonly json?: boolean;
}

/** `pgherd history`: what has changed the cluster. */
export function historyCommand(): Command {
  return withStack(new Command("history"))
    .description("Shows what has changed the cluster: leaders, restarts, verbs and runs of pulumi.")
    .option("-n, --lines <number>", "the latest ones", "50")
    .option("--since <time>", "-10m, -2h, today, yesterday, 02:00, 2026-11-22 (in UTC)")
    .option("--json", "print JSON")
    .addHelpText("after", HISTORY_HELP)
    .action(async (options: HistoryOptions) => {
      if (!/^[1-9]\d*$/.test(options.lines)) {
        throw new UsageError(`--lines: expected a number such as 50, got "${options.lines}".`);
      }
      const since = options.since && parseSince("--since", options.since, new Date()).toISOString();
      await during("history", options, async (cluster) => {
        const { events, missing } = await lookBack(cluster, options.stack, {
          auditLog: defaultAuditLog(options.stack),
          runs: true,
        });
        const shown = events
          .filter(({ at }) => since === undefined || (at !== undefined && at >= since))
          .slice(-Number(options.lines));
        process.stdout.write(
          options.json ? `${JSON.stringify(shown, null, 2)}\n` : renderHistory(shown),
        );
        incomplete(missing);
      });
    });
}

/**
 * All that is known, the oldest first, and what could not be found out.
 * @param wanted the API's audit log, and whether Pulumi is asked, which takes seconds.
 */
export async function lookBack(
  cluster: Cluster,
  stack: string,
  wanted: { readonly auditLog: string; readonly runs: boolean },
): Promise<History> {
  const { events: told, missing } = await patroniHistory(cluster);
  const events: HistoryEvent[] = [
    ...told,
    ...deeds(stack).map(({ at, by, what, outcome, seconds }) => ({
      at,
      source: "verb" as const,
      text: `${by}: pgherd ${what}: ${outcome}, after ${seconds} s`,
    })),
    ...calls(stack, wanted.auditLog).map(({ at, address, method, path, status }) => ({
      at,
      source: "api" as const,
      text: `${address}: ${method} ${path}: ${status < 300 ? "done" : `not done (${status})`}`,
    })),
    ...(wanted.runs ? runs(stack, missing) : []),
  ];
  return { events: inOrder(events), missing };
}

/** What nobody has told the time of comes first: it was before anybody wrote it down. */
function inOrder(events: readonly HistoryEvent[]): HistoryEvent[] {
  return events.toSorted((a, b) => (a.at ?? "").localeCompare(b.at ?? ""));
}

function calls(stack: string, auditLog: string): z.infer<typeof CALL>[] {
  const files = auditLog === defaultAuditLog(stack) ? recordFiles(stack, "log") : [auditLog];
  return files.flatMap((file) => readLines(file, CALL)).filter(didSomething);
}

/** A call that was refused, or made no sense, has changed nothing (RFC 9110, 15.5), and the probe's writes are no change. */
function didSomething({ status, path }: z.infer<typeof CALL>): boolean {
  return (status < 400 || status >= 500) && !path.startsWith("/api/v1/probe");
}

const CALL = z.object({
  at: z.string(),
  address: z.string(),
  method: z.string(),
  path: z.string(),
  status: z.number(),
});

/** As `pulumi stack history --json` tells a run. */
const RUN = z.object({
  kind: z.string(),
  startTime: z.string(),
  result: z.string(),
  resourceChanges: z.record(z.string(), z.number()).nullish(),
});

/** Runs of Pulumi that changed something, or failed. */
function runs(stack: string, missing: string[]): HistoryEvent[] {
  let all: z.infer<typeof RUN>[];
  try {
    const text = pulumiOutput(["stack", "history", "--json", "--page-size", "100"], stack);
    all = z.array(RUN).parse(JSON.parse(text.trim() || "[]"));
  } catch (error) {
    const reason = String((error as Error).message).split("\n")[0];
    missing.push(`Runs of pulumi are not shown: ${reason}`);
    return [];
  }
  return all.flatMap(({ kind, startTime, result, resourceChanges }) => {
    const counts = Object.entries(resourceChanges ?? {})
      .filter(([what]) => what !== "same")
      .map(([what, count]) => `${count} ${what.replace(/e?$/, "ed")}`);
    if (result === "succeeded" && counts.length === 0) return [];
    const verb = kind === "update" ? "up" : kind;
    const told = counts.join(", ");
    const at = new Date(startTime);
    return [
      {
        at: Number.isNaN(at.getTime()) ? undefined : at.toISOString(),
        source: "pulumi" as const,
        text: `pulumi ${verb}: ${result}${told ? `, ${told}` : ""}`,
      },
    ];
  });
}

const WIDTH = 80;
const INDENT = " ".repeat("2026-11-22 02:00:00  ".length);

/** What has happened, a line for each, on 80 columns. */
export function renderHistory(events: readonly HistoryEvent[]): string {
  if (events.length === 0) return "Nothing is known of this time.\n";
  return events
    .map(({ at, text }) => {
      const time = at?.slice(0, 19).replace("T", " ") ?? "time not known";
      return `${pc.dim(time.padEnd(INDENT.length - 2))}  ${folded(text)}\n`;
    })
    .join("");
}

/** A text on as many lines as it needs, the further ones below the first. */
function folded(text: string): string {
  const room = WIDTH - INDENT.length;
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = lines.at(-1) ?? "";
    if (line !== "" && line.length + 1 + word.length > room) lines.push(word);
    else lines[lines.length - 1] = line === "" ? word : `${line} ${word}`;
  }
  return lines.join(`\n${INDENT}`);
}

const HISTORY_HELP = `
Who led comes from Patroni, which keeps it in the DCS; of each member the last
start of its server is known. Verbs and calls of the API are those of this
machine and user; runs of pulumi that changed something come from its state.
Times are UTC.
${LOOK_EXIT_CODES}

Examples:
  pgherd history
  pgherd history --since yesterday --json`;
