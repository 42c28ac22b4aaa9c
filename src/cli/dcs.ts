import { Command } from "commander";
import { defragment } from "../operations/defragment";
import { sizeOf } from "../operations/words";
import { EXIT_CODES } from "./ask";
import { withStack, type StackOptions } from "./cluster";
import { during, report } from "./during";

interface DefragOptions extends StackOptions {
  readonly json?: boolean;
}

/** `pgherd dcs`: what is done to the DCS itself. */
export function dcsCommand(): Command {
  const command = new Command("dcs").description(
    "Looks after the DCS (etcd or Consul), where the cluster's state is.",
  );
  withStack(command.command("defrag"))
    .description(
      "Gives back what etcd's databases hold and nobody needs, one member at a time, and takes the alarm of a full one back.",
    )
    .option("--json", "print the outcome as JSON")
    .addHelpText("after", EXIT_CODES)
    .action((options: DefragOptions) =>
      during("dcs defrag", options, async (cluster) => {
        const { dcs } = cluster.plan;
        const outcome = await defragment(cluster, dcs);
        const sizes = outcome.members.map(
          ({ host, before, after }) =>
            `${dcs.kind} on ${host}: ${sizeOf(before)}, now ${sizeOf(after)}.`,
        );
        const back = outcome.alarms.includes("NOSPACE")
          ? [`The alarm NOSPACE is taken back: ${dcs.kind} takes writes again.`]
          : [];
        report(options.json, outcome, ...sizes, ...back);
      }),
    );
  return command;
}
