import { Command } from "commander";
import pc from "picocolors";
import { Host } from "../host/host";
import { resolveTarget } from "../host/target";
import { observeStatus, type ClusterStatus } from "../operations/status";
import { planCluster } from "../plan/plan";
import { readStack } from "./stack";
import { plainTable } from "./table";

interface StatusOptions {
  readonly stack: string;
  readonly configFile?: string;
  readonly json?: boolean;
}

/** `pgherd status`: who leads, who follows, and what leads there. */
export function statusCommand(): Command {
  return new Command("status")
    .description("Shows the members with role, timeline and lag, the DCS and the load balancers.")
    .option("-s, --stack <stack>", "whose settings in stacks/ to use", "lab")
    .option("--config-file <file>", "the stack's settings, where they are not in stacks/")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      "\nExit code: 0 if all is well, 2 if not, 1 if it could not be found out.",
    )
    .action(async ({ stack, configFile, json }: StatusOptions) => {
      const settings = readStack(stack, configFile);
      const hosts = new Map<string, Host>();
      const host = (name: string) => {
        const found =
          hosts.get(name) ?? new Host(name, () => resolveTarget(settings, name), "status");
        hosts.set(name, found);
        return found;
      };
      const status = await observeStatus(planCluster(settings), host);
      for (const one of hosts.values()) one.close();
      process.stdout.write(json ? `${JSON.stringify(status, null, 2)}\n` : renderStatus(status));
      if (!status.healthy) process.exitCode = 2;
    });
}

/** The status as a person reads it, on 80 columns. */
export function renderStatus(status: ClusterStatus): string {
  const members = plainTable(["Member", "Role", "State", "TL", "Lag"]);
  for (const { name, role, state, timeline, lagBytes, pendingRestart } of status.members) {
    members.push([
      name,
      role === "leader" ? pc.bold(role) : role.replace("_", " "),
      pendingRestart ? `${state}, restart pending` : state,
      timeline ?? "",
      role === "leader" ? "" : lagBytes === undefined ? "unknown" : `${lagBytes} B`,
    ]);
  }
  const lines = [
    `Cluster ${pc.bold(status.cluster)}: ${status.healthy ? pc.green("healthy") : pc.red("not healthy")}` +
      (status.paused ? pc.yellow(", paused: nothing fails over by itself") : ""),
    "",
    members.toString(),
    "",
    `DCS       ${status.dcs.map(({ host, healthy }) => (healthy ? host : pc.red(`${host} (no answer)`))).join(", ")}`,
  ];
  for (const { host, entrances } of status.loadBalancers) {
    const shown = Object.entries(entrances).map(
      ([name, servers]) => `${name} ${servers.join(" ") || pc.red("none")}`,
    );
    lines.push(`${host.padEnd(9)} ${shown.join(" · ") || pc.red("no answer")}`);
  }
  const holders = status.loadBalancers.filter(({ holdsVip }) => holdsVip);
  if (holders.length > 0) {
    lines.push(`Virtual IP on ${pc.bold(holders.map(({ host }) => host).join(", "))}`);
  }
  for (const problem of status.problems) lines.push(pc.red(problem));
  return `${lines.join("\n")}\n`;
}
