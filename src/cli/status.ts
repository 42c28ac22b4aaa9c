import { setTimeout as sleep } from "node:timers/promises";
import { Command } from "commander";
import pc from "picocolors";
import { UsageError } from "../errors";
import type { BackupStatus } from "../operations/backup-status";
import type { Health } from "../operations/health";
import {
  observeStatus,
  type BalancerState,
  type ClusterStatus,
  type MemberState,
  type DcsAgentState,
  type DcsState,
  type StandaloneState,
} from "../operations/status";
import { Looks } from "../cluster/looks";
import { folded } from "./ask";
import { openCluster, withStack, type OpenCluster, type StackOptions } from "./cluster";
import { plainTable } from "./table";
import { parseSpan } from "./time";
import { sizeOf, spanOf } from "../operations/words";

interface StatusOptions extends StackOptions {
  readonly json?: boolean;
  readonly watch?: boolean | string;
}

const EXIT_CODE: { readonly [health in Health]: number } = {
  healthy: 0,
  unknown: 1,
  degraded: 2,
  down: 3,
};

/** `pgherd status`: who leads, who follows, and what leads there. */
export function statusCommand(): Command {
  return withStack(new Command("status"))
    .description("Shows the members with role, timeline and lag, the DCS and the load balancers.")
    .option("-w, --watch [every]", "look again and again, until Ctrl-C (default: every 2s)")
    .option("--json", "print JSON; with --watch a line for each look")
    .addHelpText("after", STATUS_HELP)
    .action(async (options: StatusOptions) => {
      const cluster = openCluster(options, "status");
      try {
        if (options.watch === undefined) {
          const status = await observeStatus(cluster.plan, cluster.host);
          print(status, options.json);
          process.exitCode = EXIT_CODE[status.health];
        } else await watch(options, cluster);
      } finally {
        cluster.close();
      }
    });
}

async function watch({ watch: every, json }: StatusOptions, cluster: OpenCluster): Promise<void> {
  const pause = every === true ? 2000 : parseSpan("--watch", String(every));
  if (pause < 500) throw new UsageError(`--watch: expected 0.5s or more, got "${String(every)}".`);
  const looks = new Looks(cluster);
  for (;;) {
    const status = await looks.look();
    if (json) process.stdout.write(`${JSON.stringify(status)}\n`);
    else {
      // Written over the last look, and what is left of it below is cleared: no flicker.
      const lines = renderStatus(status).replaceAll("\n", "\u001b[K\n");
      process.stdout.write(process.stdout.isTTY ? `\u001b[H${lines}\u001b[J` : lines);
    }
    process.exitCode = EXIT_CODE[status.health];
    await sleep(pause);
  }
}

function print(status: ClusterStatus, json: boolean | undefined): void {
  process.stdout.write(json ? `${JSON.stringify(status, null, 2)}\n` : renderStatus(status));
}

const PAUSED = "Paused: nothing fails over or restarts by itself. `pgherd resume` ends that.";

const HEALTH: { readonly [health in Health]: string } = {
  healthy: pc.green("healthy"),
  degraded: pc.yellow("takes writes, but is not whole"),
  down: pc.red("takes no writes"),
  unknown: pc.red("not known whether it takes writes"),
};

/** The status as a person reads it, on 80 columns. */
export function renderStatus(status: ClusterStatus): string {
  const { cluster, health, paused, scheduledSwitchover: scheduled, standalone } = status;
  const blocks = [
    `Cluster ${pc.bold(cluster)}: ${HEALTH[health]}`,
    ...(standalone ? ["The stack rolls its migration back: only the old server counts."] : []),
    ...(paused ? [pc.yellow(PAUSED)] : []),
    ...(scheduled
      ? [`Switchover${scheduled.to ? ` to ${scheduled.to}` : ""} at ${scheduled.at}`]
      : []),
    "",
    ...(standalone
      ? [renderStandalone(standalone)]
      : [renderMembers(status.members), "", ...renderDcs(status.dcs)]),
  ];
  if (status.loadBalancers.length > 0) blocks.push("", renderBalancers(status));
  if (status.backup) blocks.push("", renderBackups(status.backup, Date.parse(status.at) / 1000));
  if (status.problems.length > 0) {
    blocks.push("", ...status.problems.map((problem) => pc.red(folded(problem, "", "  "))));
  }
  return `${blocks.join("\n")}\n`;
}

const COLOURS: { readonly [condition in MemberState["condition"]]: (state: string) => string } = {
  serving: (state) => state,
  changing: pc.yellow,
  unknown: pc.yellow,
  stopped: pc.red,
  failed: pc.red,
  silent: pc.red,
};

function renderMembers(members: readonly MemberState[]): string {
  const table = plainTable(["Member", "Role", "State", "TL", "Lag", ""]);
  for (const member of members) {
    const { name, role, state, condition, seenBy, timeline, pendingRestart } = member;
    table.push([
      name,
      role === "leader" ? pc.bold(role) : role.replace("_", " "),
      COLOURS[condition](state),
      timeline ?? "",
      role === "leader" ? "" : lagOf(member),
      seenBy
        ? pc.yellow(`as ${seenBy.join(", ")} see${seenBy.length === 1 ? "s" : ""} it`)
        : pendingRestart
          ? pc.yellow("restart pending")
          : "",
    ]);
  }
  return table.toString();
}

function renderStandalone({ host, port, state, condition }: StandaloneState): string {
  const table = plainTable(["Server", "Port", "State"]);
  table.push([host, port, COLOURS[condition](state)]);
  return table.toString();
}

/** `0 B, 0.0 s`, or `unknown`. */
function lagOf({ lagBytes, lagSeconds }: MemberState): string {
  if (lagBytes === undefined) return "unknown";
  return lagSeconds === undefined ? `${lagBytes} B` : `${lagBytes} B, ${lagSeconds.toFixed(1)} s`;
}

function renderDcs({ kind, existing, movesTo, members, agents = [] }: ClusterStatus["dcs"]) {
  return [
    `DCS       ${kind}${existing ? ", which answers" : ":"} ${members.map(renderDcsMember).join(", ")}`,
    ...(movesTo
      ? [`${"".padEnd(9)} not moved yet to the ${movesTo} of the stack: pulumi up does that`]
      : []),
    ...renderAgents(agents),
  ];
}

function renderDcsMember({ host, healthy, leader, unknown }: DcsState): string {
  if (unknown) return pc.yellow(`${host} (not known)`);
  if (!healthy) return pc.red(`${host} (not healthy)`);
  return leader ? `${host} (leader)` : host;
}

/** Nothing where there are none beside those who vote. */
function renderAgents(agents: readonly DcsAgentState[]): string[] {
  const shown = agents.map(({ host, condition }) => {
    if (condition === "serving") return host;
    return condition === "unknown"
      ? pc.yellow(`${host} (not known)`)
      : pc.red(`${host} (${condition})`);
  });
  return shown.length === 0 ? [] : [`${"".padEnd(9)} agents: ${shown.join(", ")}`];
}

function renderBalancers({ loadBalancers, vips }: ClusterStatus): string {
  const entrances = [...new Set(loadBalancers.flatMap(({ entrances: all }) => Object.keys(all)))];
  const table = plainTable(["Balancer", ...entrances, ""]);
  for (const balancer of loadBalancers) {
    const vip = balancer.holdsVip ? pc.bold(vips.join(" ")) : "";
    const backends = balancer.answers
      ? entrances.map((entrance) => backendsOf(balancer, entrance))
      : [
          balancer.unknown ? pc.yellow("not known") : pc.red("no answer"),
          ...entrances.slice(1).map(() => ""),
        ];
    table.push([balancer.host, ...backends, vip]);
  }
  return table.toString();
}

/** The members that an entrance leads to, and those that somebody has taken out of it. */
function backendsOf({ servers }: BalancerState, entrance: string): string {
  const shown = servers
    .filter((one) => one.entrance === entrance)
    .flatMap(({ server, status }) => {
      if (status.startsWith("UP")) return server;
      // One that is down in the entrance of another role is as it should be.
      return status.startsWith("DOWN") ? [] : pc.yellow(`${server} ${status.toLowerCase()}`);
    });
  return shown.join(" ") || pc.red("none");
}

/** The newest backup, what is to come of WAL, and what the last test restore showed. */
function renderBackups(
  { host, unknown, newest, running, slot, verification }: BackupStatus,
  now: number,
): string {
  const absent = unknown ? pc.yellow("backups not known") : pc.red("no backup");
  const parts = [
    newest ? `newest ${newest.id}, ${spanOf(now - newest.endedAt)} old` : absent,
    ...(running ? ["one is being taken"] : []),
    ...(slot ? [`${sizeOf(slot.retained)} of WAL to come`] : []),
  ];
  const lines = [`${host.padEnd(9)} ${parts.join(" · ")}`];
  if (verification) {
    const { backup, ok, endedAt, restoreSeconds } = verification;
    lines.push(
      `${"".padEnd(9)} test restore ${backup ? `of ${backup} ` : ""}${ok ? pc.green("in order") : pc.red("failed")}, ` +
        `${spanOf(now - endedAt)} ago${ok ? `, took ${spanOf(restoreSeconds)}` : ""}`,
    );
  }
  return lines.join("\n");
}

const STATUS_HELP = `
Lag is what a replica has not replayed yet, and the time from a commit to its
replay there, as the server that it streams from measures it.

Of a migration that is rolled back only the old server is asked.

Exit codes:
  0  healthy: everything is as the stack says
  1  it could not be found out: what answers does not tell, or the stack
     cannot be read
  2  takes writes, but something is missing; the last lines say what
  3  takes no writes

Examples:
  pgherd status
  pgherd status --watch
  pgherd status --json | jq .members`;
