import { Command } from "commander";
import pc from "picocolors";
import type { Settings } from "../config/schema";
import { UsageError } from "../errors";
import { planFlows } from "../plan/flows";
import { planCluster } from "../plan/plan";
import type { Flow } from "../plan/types";
import { oneOf } from "../suggest";
import { withStack } from "./cluster";
import { plannedFiles, renderFiles, type PlannedFile } from "./plan-files";
import { readStack } from "./stack";
import { plainTable } from "./table";

interface PlanOptions {
  readonly stack: string;
  readonly configFile?: string;
  readonly flows?: boolean;
  /** All of them, or those of one host. */
  readonly files?: string | true;
  readonly json?: boolean;
}

/** `pgherd plan`: what would be, from the settings alone. */
export function planCommand(): Command {
  return withStack(new Command("plan"))
    .description("Shows what a stack's settings come to, without asking a host.")
    .option("--flows", "who may reach what, which the firewalls are made from")
    .option("--files [host]", "the files that a run writes, of all hosts or of one")
    .option("--json", "print JSON")
    .action(({ stack, configFile, flows, files, json }: PlanOptions) => {
      if (!flows && !files) {
        throw new UsageError(
          "pgherd plan: expected what to show, got nothing.",
          "Say --flows for who may reach what, or --files for the files that a run writes.",
        );
      }
      const settings = readStack(stack, configFile);
      const print = <T>(planned: T, render: (planned: T) => string) =>
        process.stdout.write(json ? `${JSON.stringify(planned, null, 2)}\n` : render(planned));
      if (flows) print(planFlows(settings), (planned) => renderFlows(settings, planned));
      if (files) print(filesOf(settings, files), renderFiles);
    });
}

function filesOf(settings: Settings, host: string | true): PlannedFile[] {
  const known = Object.keys(settings.hosts);
  if (host !== true && !known.includes(host))
    throw new UsageError(`--files: expected ${oneOf(known, host)}`);
  return plannedFiles(planCluster(settings)).filter((file) => host === true || file.host === host);
}

/** The flows as a person reads them, a block for each host, on 80 columns. */
export function renderFlows({ hosts }: Settings, flows: readonly Flow[]): string {
  if (flows.length === 0) {
    return "pgherd:cluster.firewall is false: pgherd sets no rules on the hosts.\n";
  }
  const blocks = [...new Set(flows.map(({ to }) => to))].map((host) => {
    const table = plainTable(["Port", "What", "From", "Addresses"]);
    for (const { port, protocol, purpose, from, addresses } of flows.filter(
      ({ to }) => to === host,
    )) {
      const target = [port, protocol === "tcp" ? undefined : protocol].filter(Boolean).join("/");
      table.push([target, purpose, from, wrap(addresses)]);
    }
    return `${pc.bold(host)} (${hosts[host]?.address ?? ""})\n${table.toString()}\n`;
  });
  return blocks.join("\n");
}

/** What the other columns leave of 80. */
const ADDRESSES_WIDTH = 31;

/** Words on as few lines as they fit on. */
function wrap(words: readonly string[]): string {
  return words.reduce((text, word) => {
    if (text === "") return word;
    const line = text.slice(text.lastIndexOf("\n") + 1);
    const separator = line.length + 1 + word.length > ADDRESSES_WIDTH ? "\n" : " ";
    return `${text}${separator}${word}`;
  }, "");
}
