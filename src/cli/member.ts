import { Command } from "commander";
import { insist, type Intent } from "../cluster/cluster";
import { considerRestart, performRestart } from "../cluster/restart";
import { considerReinit, performPause, performReinit, performReload } from "../cluster/members";
import { whileMeasured } from "../probe/measure";
import { confirm, EXIT_CODES } from "./ask";
import { withStack, type StackOptions } from "./cluster";
import { during, report } from "./during";
import { probeTarget, tellCost } from "./measure";

interface MemberOptions extends StackOptions {
  readonly pending?: boolean;
  readonly force?: boolean;
  readonly yes?: boolean;
  readonly json?: boolean;
}

/** `pgherd restart`: PostgreSQL on one member. */
export function restartCommand(): Command {
  return withStack(new Command("restart"))
    .description("Restarts PostgreSQL on a member; a replica is drained in HAProxy before.")
    .argument("<member>")
    .option("--pending", "only if a setting waits for it")
    .option("--force", "go on in spite of long transactions")
    .option("-y, --yes", "do not ask")
    .option("--json", "print the outcome as JSON")
    .addHelpText("after", EXIT_CODES)
    .action((member: string, options: MemberOptions) =>
      during("restart", options, async (cluster) => {
        const { pending: pendingOnly, force = false, yes = false, json } = options;
        const intent = await considerRestart(cluster, member, { pendingOnly });
        insist(`A restart of ${member}`, intent, force, "--force");
        await confirm(`${cluster.plan.name}: restart of ${member}`, intent, yes);
        const target = () => probeTarget(options.stack, cluster.settings);
        const cost = await whileMeasured(target, () =>
          performRestart(cluster, member, { pendingOnly, force }),
        );
        const { result, interruption, unmeasured } = cost;
        const done = `PostgreSQL on ${member} runs again after ${result.seconds.toFixed(1)} s.`;
        report(json, { member, ...result, interruption, unmeasured }, done, tellCost(cost));
      }),
    );
}

/** `pgherd reload`: files are read again. */
export function reloadCommand(): Command {
  return withStack(new Command("reload"))
    .description("Makes Patroni and PostgreSQL on a member read their files again.")
    .argument("<member>")
    .option("--json", "print the outcome as JSON")
    .addHelpText("after", EXIT_CODES)
    .action((member: string, options: MemberOptions) =>
      during("reload", options, async (cluster) => {
        await performReload(cluster, member);
        report(options.json, { member }, `${member} reads its files again.`);
      }),
    );
}

/** `pgherd reinit`: a replica is made anew. */
export function reinitCommand(): Command {
  return withStack(new Command("reinit"))
    .description("Deletes a replica's data and copies it anew from the cluster.")
    .argument("<member>")
    .option("-y, --yes", "do not ask")
    .option("--json", "print the outcome as JSON")
    .addHelpText("after", EXIT_CODES)
    .action((member: string, options: MemberOptions) =>
      during("reinit", options, async (cluster) => {
        const intent: Intent = await considerReinit(cluster, member);
        insist(`A new copy on ${member}`, intent, false, "");
        await confirm(`${cluster.plan.name}: new copy on ${member}`, intent, options.yes ?? false);
        const { seconds } = await performReinit(cluster, member);
        const done = `${member} is a new copy and streams, after ${seconds.toFixed(1)} s.`;
        report(options.json, { member, seconds }, done);
      }),
    );
}

/** `pgherd pause` and `pgherd resume`: the cluster left to itself, or not. */
export function pauseCommand(paused: boolean): Command {
  const name = paused ? "pause" : "resume";
  const description = paused
    ? "Leaves the cluster to itself: nothing fails over, restarts or is promoted by Patroni."
    : "Lets Patroni look after the cluster again.";
  return withStack(new Command(name))
    .description(description)
    .option("--json", "print the outcome as JSON")
    .addHelpText("after", EXIT_CODES)
    .action((options: MemberOptions) =>
      during(name, options, async (cluster) => {
        await performPause(cluster, paused);
        const done = paused
          ? "Paused: if the leader fails now, nobody takes over. `pgherd resume` ends that."
          : "Patroni looks after the cluster again.";
        report(options.json, { paused }, done);
      }),
    );
}
