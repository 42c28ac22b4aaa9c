import { serves } from "../facts/member-state";
import { HealthError, PgherdError } from "../errors";
import { filesProbe } from "../facts/files";
import { inForm } from "../facts/forms";
import { forkPasswordProbe, forksProbe, type Fork } from "../facts/forks";
import { clusterViewProbe, describeMembers, type ClusterView } from "../facts/patroni";
import { psql } from "../facts/postgres";
import type { Host } from "../host/host";
import type { ForkInputs } from "../resources/inputs/fork";
import { askEach, demandAll, type Asked } from "./ask";
import { changedFiles } from "./files";
import { changeFork, fitness, makeFork, removeFork } from "./fork-scripts";

type Hosts = (name: string) => Host;

/** Where forks may be. */
type ForkPlace = Pick<ForkInputs, "members" | "folder" | "keeper">;

/** A fork with its files and its password, as they are on the host. */
export interface FoundFork {
  readonly fork: Fork;
  readonly files: Awaited<ReturnType<ReturnType<typeof filesProbe>["parse"]>>;
  readonly password: string;
}

/** The longest that making a fork may take: it replays what WAL its member keeps. */
const MAKE_SECONDS = 1800;

/** Forks of members, and which of those could not be asked: what is there is not known then. */
export async function observeForks(
  members: readonly string[],
  folder: string,
  host: Hosts,
  tool?: string,
): Promise<{ readonly forks: Fork[]; readonly silent: Asked<unknown>["silent"] }> {
  const { answers, silent } = await askEach({ host }, members, (one, name) =>
    one.observe(forksProbe(name, folder, tool)),
  );
  return { forks: members.flatMap((name) => answers[name] ?? []), silent };
}

/**
 * The fork as it is; `undefined` if there is none, or a run was cut off before it was complete.
 * @throws ConnectError if one of these members cannot be reached: what is there is not known then.
 */
export async function observeFork(
  inputs: ForkInputs,
  hosts: Hosts,
  on: readonly string[] = Object.keys(inputs.members),
): Promise<FoundFork | undefined> {
  const folder = inputs.folder.replace(/\/[^/]+$/, "");
  const { forks, silent } = await observeForks(on, folder, hosts);
  for (const error of Object.values(silent)) throw error;
  const fork = forks.find(({ name, state }) => name === inputs.name && state !== "incomplete");
  if (!fork) return undefined;
  const host = hosts(fork.host);
  const [files, password] = await Promise.all([
    host.observe(filesProbe(Object.keys(inputs.files), inputs.files)),
    host.observe(forkPasswordProbe(inputs.name)),
  ]);
  return { fork, files, password };
}

/**
 * Makes the fork, or brings the one that is there to what is wanted. Its data is never taken anew.
 * @throws HealthError if no member is fit to be its source.
 * @throws PgherdError if its file system cannot share blocks, with what to do.
 */
export async function ensureFork(
  inputs: ForkInputs,
  hosts: Hosts,
  say: (what: string) => void,
): Promise<FoundFork> {
  const found = await observeFork(inputs, hosts);
  if (found) refuseBroken(found.fork);
  if (found) await bringUpToDate(inputs, found, hosts);
  else await create(inputs, hosts, say);
  const now = await observeFork(inputs, hosts);
  if (now?.fork.state === "running") return now;
  throw new HealthError(
    `fork ${inputs.name}: expected it to run, got ${now ? now.fork.reason || now.fork.state : "none"}.`,
    `Next: journalctl -u pgherd-fork-${inputs.name} -n 50 on ${now?.fork.host ?? "the members"}.`,
  );
}

/** @throws HealthError if nothing but a fork's name is known: what is done with it would be done with another one's figures. */
export function refuseBroken({ name, host, state, reason }: Fork): void {
  if (state === "broken") throw new HealthError(`fork ${name}: on ${host} ${reason}.`);
}

/**
 * Removes the fork wherever it is, half-made ones too. Returns the hosts that it was on.
 * @throws PgherdError if members cannot be reached, where it may be as well; it is gone from the others then.
 */
export async function dropFork(
  place: ForkPlace,
  name: string,
  hosts: Hosts,
): Promise<readonly string[]> {
  const folder = place.folder.replace(/\/[^/]+$/, "");
  const { forks, silent } = await observeForks(Object.keys(place.members), folder, hosts);
  const on = forks.filter((fork) => fork.name === name).map(({ host }) => host);
  await Promise.all(
    on.map((host) => hosts(host).change("removing the fork", removeFork(place, folder, name))),
  );
  const gone =
    on.length > 0 ? `removed from ${on.join(", ")}` : "not found where it was looked for";
  demandAll(
    silent,
    (names) => `fork ${name}: ${gone}; ${names} cannot be reached, and may have it`,
  );
  return on;
}

/**
 * The member that a fork is best made from: one that confirms no commits, and of those the one that is furthest on.
 * @param from `replica`, or a member's name.
 * @throws HealthError if there is none.
 */
export function chooseSource(view: ClusterView | undefined, from: string): string {
  const up = (view?.members ?? []).filter(({ state }) => serves(state));
  const able = up
    .filter(({ name, role }) => (from === "replica" ? role !== "leader" : name === from))
    .sort(
      (a, b) =>
        Number(a.role !== "replica") - Number(b.role !== "replica") ||
        (a.lagBytes ?? Infinity) - (b.lagBytes ?? Infinity),
    );
  const [best] = able;
  if (best) return best.name;
  throw new HealthError(
    `expected ${from === "replica" ? "a replica that streams" : `${from} to be up`}, found: ${describeMembers(view)}.`,
    from === "replica"
      ? "Wait for one (pgherd status), or name the member that the fork is to be made from."
      : "Wait for it (pgherd status), or name another one.",
  );
}

async function create(
  inputs: ForkInputs,
  hosts: Hosts,
  say: (what: string) => void,
): Promise<void> {
  const view = await anyView(inputs, hosts);
  const source = chooseSource(view, inputs.from);
  const leader = view?.members.find(({ role }) => role === "leader")?.name;
  const host = hosts(source);
  const problems = (await host.change("looking whether a fork is possible", fitness(inputs)))
    .split("\n")
    .filter((line) => line !== "");
  if (problems.length > 0) throw new PgherdError(`${source}: ${problems.join("\n")}`);
  // What is committed before the command was given shall be in it.
  const until =
    leader && leader !== source ? await hosts(leader).observe(positionProbe(inputs)) : undefined;
  say(`copying ${source}'s data, without copying a block`);
  await host.change("making the fork", makeFork(inputs, source, until), {
    timeoutSeconds: MAKE_SECONDS,
  });
}

async function bringUpToDate(
  inputs: ForkInputs,
  { fork, files, password }: FoundFork,
  hosts: Hosts,
): Promise<void> {
  const changed = changedFiles(inputs.files, files);
  const same =
    changed.length === 0 &&
    password === inputs.password &&
    fork.state === "running" &&
    fork.ttl === inputs.ttl &&
    fork.disk === inputs.disk;
  if (same) return;
  await hosts(fork.host).change("changing the fork", changeFork(inputs, fork, changed, password), {
    timeoutSeconds: MAKE_SECONDS,
  });
}

/** What the first member sees of the cluster that answers. */
async function anyView({ members }: ForkInputs, hosts: Hosts): Promise<ClusterView | undefined> {
  const { answers } = await askEach({ host: hosts }, Object.keys(members), (host, name) =>
    host.observe(clusterViewProbe(members[name] ?? "")),
  );
  return Object.values(answers)
    .filter((view) => view !== undefined)
    .sort((a, b) => b.members.length - a.members.length)[0];
}

function positionProbe({ source }: ForkInputs) {
  return {
    script: `cd / && ${psql(source.port, "postgres")} -c 'select pg_current_wal_flush_lsn()'`,
    parse: (output: string) => inForm("position", "a position in the WAL", output.trim()),
  };
}
