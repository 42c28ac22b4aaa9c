import { hostname, userInfo } from "node:os";
import type { Command } from "commander";
import type { Settings } from "../config/schema";
import { Host } from "../host/host";
import { resolveTarget } from "../host/target";
import type { Cluster } from "../cluster/cluster";
import { planCluster } from "../plan/plan";
import type { ClusterPlan } from "../plan/types";
import { readStack } from "./stack";

export interface StackOptions {
  readonly stack: string;
  readonly configFile?: string;
}

/** What `--stack` means; where it is not given, the program fills it in (`selectedStack`). */
export const STACK_OPTION =
  "whose settings in stacks/ to use (default: the one selected in Pulumi)";

/** Adds the options that say which cluster is meant. */
export function withStack(command: Command): Command {
  return command
    .option("-s, --stack <stack>", STACK_OPTION)
    .option("--config-file <file>", "the stack's settings, where they are not in stacks/");
}

/** A cluster whose hosts are connected to when they are first asked. */
export interface OpenCluster extends Cluster {
  readonly settings: Settings;
  readonly plan: ClusterPlan;
  /** Who is at work: `anna@desk`. */
  readonly by: string;
  /** Ends all connections and begins anew: with other ones, and without the locks that those had. */
  renew(): void;
  /** Ends all connections. */
  close(): void;
}

/**
 * The cluster of a stack.
 * @param verb what it is opened for, shown to whoever finds a host locked: `switchover`.
 */
export function openCluster(
  { stack, configFile }: StackOptions,
  verb: string,
  progress: (message: string) => void = () => undefined,
): OpenCluster {
  return openSettings(readStack(stack, configFile), verb, progress);
}

/** The cluster of settings that have been read. */
export function openSettings(
  settings: Settings,
  verb: string,
  progress: (message: string) => void,
): OpenCluster {
  const hosts = new Map<string, Host>();
  const by = `${userInfo().username}@${hostname()}`;
  const owner = `${by}, pgherd ${verb}, process ${process.pid}`;
  const close = () => hosts.forEach((host) => host.close());
  return {
    settings,
    plan: planCluster(settings),
    progress,
    by,
    host(name) {
      const found = hosts.get(name) ?? new Host(name, () => resolveTarget(settings, name), owner);
      hosts.set(name, found);
      return found;
    },
    renew() {
      close();
      hosts.clear();
    },
    close,
  };
}
