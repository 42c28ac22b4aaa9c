import type { ForkRules, WholeForkRequest } from "../cluster/forks";
import { parseSettings } from "../config/parse";
import type { Settings } from "../config/schema";
import { ConfigError, UsageError } from "../errors";
import { forkUri } from "../plan/connection";
import { forksFolder, FORKS_TOOL, planForks } from "../plan/forks";
import { planPatroni } from "../plan/patroni";
import { ROLES } from "../roles/roles";

/**
 * What the stack says of forks.
 * @param raw its settings as they stand in its file.
 */
export function forkRules(
  stack: string,
  settings: Settings,
  raw: { readonly [key: string]: unknown },
): ForkRules {
  const { cluster } = settings;
  const ports = ROLES.flatMap((role) => role.ports.map(({ number }) => number(cluster)));
  return {
    stack,
    members: planPatroni(settings).members,
    folder: forksFolder(settings),
    tool: FORKS_TOOL,
    declared: cluster.forks,
    taken: [...ports, ...cluster.forks.map(({ port }) => port)].filter((one) => one !== undefined),
    uri: (host, port) => forkUri(settings, host, port),
    plan(request) {
      const plan = planForks(withFork(raw, request)).find(({ name }) => name === request.name);
      if (!plan) throw new Error(`no plan for fork ${request.name}`);
      return { cluster: cluster.name, ...plan };
    },
  };
}

/** The stack's settings as if the fork stood among them, so that it is checked by the same rules. */
function withFork(
  raw: { readonly [key: string]: unknown },
  { ttl, ...fork }: WholeForkRequest,
): Settings {
  const before = (raw.cluster as { forks?: unknown[] }).forks ?? [];
  const forks = [...before, { ...fork, ...(ttl === "never" ? {} : { ttl }) }];
  try {
    return parseSettings({ ...raw, cluster: { ...(raw.cluster as object), forks } });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    // What the command line said is told in its words.
    const said = `pgherd:cluster.forks[${before.length}].`;
    throw new UsageError(
      error.problems.map((problem) => problem.replaceAll(said, "--")).join("\n"),
    );
  }
}
