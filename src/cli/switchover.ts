import { Command } from "commander";
import pc from "picocolors";
import { considerFailover, performFailover, type FailoverRequest } from "../cluster/failover";
import { insist } from "../cluster/cluster";
import {
  considerSwitchover,
  performSwitchover,
  revokeSwitchover,
  type SwitchoverRequest,
} from "../cluster/switchover";
import { whileMeasured } from "../probe/measure";
import { confirm, EXIT_CODES } from "./ask";
import { withStack, type StackOptions } from "./cluster";
import { during, report } from "./during";
import { probeTarget, tellCost } from "./measure";
import { parseTime, tellTime } from "./time";

interface SwitchoverOptions extends StackOptions {
  readonly to?: string;
  readonly at?: string;
  readonly cancel?: boolean;
  readonly force?: boolean;
  readonly yes?: boolean;
  readonly json?: boolean;
}

interface FailoverOptions extends StackOptions, FailoverRequest {
  readonly yes?: boolean;
  readonly json?: boolean;
}

/** `pgherd switchover`: another member leads, and nothing is lost. */
export function switchoverCommand(): Command {
  return withStack(new Command("switchover"))
    .description("Hands the lead over to another member, and says how long writes stood still.")
    .option("--to <member>", "who is to lead (default: the synchronous replica least behind)")
    .option(
      "--at <time>",
      "have Patroni do it then: +30m, 02:00 (by this machine's clock), 2026-11-22T02:00Z",
    )
    .option("--cancel", "take a scheduled switchover back")
    .option("--force", "go on in spite of long transactions and running backups")
    .option("-y, --yes", "do not ask")
    .option("--json", "print the outcome as JSON")
    .addHelpText("after", SWITCHOVER_HELP)
    .action((options: SwitchoverOptions) =>
      options.cancel ? cancel(options) : switchOverNowOrThen(options),
    );
}

/** `pgherd failover`: somebody leads again where nobody does. */
export function failoverCommand(): Command {
  return withStack(new Command("failover"))
    .description("Makes a member lead where none does, which Patroni might not do by itself.")
    .option(
      "--to <member>",
      "who is to lead (default: the synchronous replica, else the least behind)",
    )
    .option("--accept-data-loss", "accept that commits are lost which it has not received")
    .option("-y, --yes", "do not ask")
    .option("--json", "print the outcome as JSON")
    .addHelpText("after", FAILOVER_HELP)
    .action(failOver);
}

async function switchOverNowOrThen(options: SwitchoverOptions): Promise<void> {
  const { to, force, yes = false, json } = options;
  const time = options.at === undefined ? undefined : parseTime("--at", options.at, new Date());
  const at = time?.toISOString();
  const request: SwitchoverRequest = { to, force, at };
  await during("switchover", options, async (cluster) => {
    const intent = await considerSwitchover(cluster, request);
    insist("The switchover", intent, force ?? false, "--force");
    const when = time ? `, ${tellTime(time)}` : "";
    const title = `${cluster.plan.name}: switchover from ${intent.from} to ${intent.to}${when}`;
    await confirm(title, intent, yes);
    // Whoever was agreed to shall lead, whatever has changed since.
    const agreed = { ...request, to: intent.to };
    if (at !== undefined) {
      const outcome = await performSwitchover(cluster, agreed);
      return report(
        json,
        outcome,
        `Patroni hands the lead over to ${outcome.to} at ${time ? tellTime(time) : ""}.`,
      );
    }
    const target = () => probeTarget(options.stack, cluster.settings);
    const cost = await whileMeasured(target, () => performSwitchover(cluster, agreed));
    const { result, interruption, unmeasured } = cost;
    report(
      json,
      { ...result, interruption, unmeasured },
      `${pc.bold(result.to)} leads, on timeline ${result.timeline}; ` +
        `${result.from} streams from it again after ${result.seconds?.toFixed(1)} s.`,
      tellCost(cost),
    );
  });
}

async function cancel(options: SwitchoverOptions): Promise<void> {
  await during("switchover", options, async (cluster) => {
    await revokeSwitchover(cluster);
    report(options.json, {}, "The scheduled switchover is taken back.");
  });
}

async function failOver(options: FailoverOptions): Promise<void> {
  const { to, acceptDataLoss, yes = false, json } = options;
  await during("failover", options, async (cluster) => {
    const intent = await considerFailover(cluster, { to, acceptDataLoss });
    insist("The failover", intent, acceptDataLoss ?? false, "--accept-data-loss");
    const losses = { ...intent, effects: [...intent.effects, ...intent.objections] };
    await confirm(`${cluster.plan.name}: failover to ${intent.to}`, losses, yes);
    const outcome = await performFailover(cluster, { to: intent.to, acceptDataLoss });
    report(json, outcome, `${pc.bold(outcome.to)} leads, after ${outcome.seconds.toFixed(1)} s.`);
  });
}

const SWITCHOVER_HELP = `
Before anything changes it is checked that somebody leads, that the candidate
runs, confirms commits (unless replication is asynchronous) and is not too far
behind (pgherd:cluster.rolling.maximumLag), that etcd has a majority, and that
no long transaction or backup would be cut. Writes are made through the entry
point meanwhile; the time from the last commit to the next one is reported.
${EXIT_CODES}

Examples:
  pgherd switchover
  pgherd switchover --to db2 --yes
  pgherd switchover --at 02:00
  pgherd switchover --cancel`;

const FAILOVER_HELP = `
For when nobody leads: the old leader is lost and Patroni elects nobody, because
the cluster is paused, or no replica was synchronous or close enough. While a
leader runs, \`pgherd switchover\` is the way, and this is refused.
${EXIT_CODES}

Examples:
  pgherd failover
  pgherd failover --to db3 --accept-data-loss`;
