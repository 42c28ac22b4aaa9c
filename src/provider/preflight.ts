import { packageManager } from "../distributions/distributions";
import { clockProbe } from "../facts/clock";
import { hostProbe } from "../facts/host";
import { loginAddressProbe } from "../facts/login-address";
import { reachProbe } from "../facts/reach";
import { describeRestore, restoreRecordProbe } from "../facts/restore-record";
import type { Owner } from "../distributions/distributions";
import type { Host } from "../host/host";
import { oneCauseOnce } from "../operations/one-cause";
import type { HostsFacts, PreflightInputs, Requirement } from "../resources/inputs/preflight";
import { sameValue, type Value } from "../rpc/values";
import { kindOfDcs, type DcsKind } from "../roles/dcs";
import { compareVersions, upstream } from "../versions";
import type { Context } from "./context";
import { briefFiles } from "./brief";
import { tryExistingDcs } from "./existing-dcs";
import { foreseeMembers } from "./foresee-members";
import { foreseeServices } from "./foresee-services";
import { hasMoved, whoIsLeftBehind } from "./moving-dcs";
import { judgeBootstrap } from "./preflight-backup";
import { warnOfPreloads } from "./preload-warnings";
import { tryOut } from "./preflight-trial";
import { judgeMembership, withMembers } from "./membership";
import { judgeHost } from "./preflight-rules";
import { judgeBetween, judgeFixed, judgeLeft } from "./preflight-rules-between";
import type { ResourceType } from "./resource";
import { judgeVotersNow } from "./judge-voters";
import { foreseeVoters, judgeVoters, withVoters } from "./voters";
import { isFresh, versionOn, type FoundHost } from "./found-host";
import { backupLocales } from "../migration/provider/backup-locales";
import { survey } from "../migration/provider/survey";

interface Learned {
  readonly facts: HostsFacts;
}

/** What is learned stays as it is until the inputs change, so that nothing is tuned anew by itself. */
export const preflight: ResourceType<PreflightInputs, Learned> = {
  identity: ["cluster"],
  derived: ["hosts", "fixed", "versions", "services"],
  judged: ["trial", "logins", "existingDcs", "move"],
  id: ({ cluster }) => `${cluster}/preflight`,
  brief: ({ dcsFiles }) => (dcsFiles ? { dcsFiles: briefFiles(dcsFiles) } : {}),
  readOnly: true,

  async check(context, inputs, oldInputs, urn) {
    const looks = await Promise.allSettled(
      Object.entries(inputs.hosts).map(([host, requirement]) =>
        look(context, host, requirement, inputs.vips, dcsUserOf(inputs)),
      ),
    );
    const reached = looks.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
    const seen = await reach(context, await fromWhere(context, inputs, reached));
    const { bootstrap } = inputs;
    const unseen = looks.flatMap((one) => (one.status === "rejected" ? [one.reason as Error] : []));
    const found = [
      ...judgeFixed(inputs.fixed, oldInputs.fixed ?? {}, inputs.move?.fixed),
      ...judgeLeft(inputs.move, oldInputs.move),
      ...judgeMembership(inputs, oldInputs, (host) => context.isRemoved(host)),
      ...judgeVoters(inputs, oldInputs),
      ...(await judged(judgeVotersNow(context, inputs, oldInputs, reached))),
      ...(await judged(tellOfMove(context, inputs, oldInputs, urn))),
      ...unseen.map((error) => error.message),
      ...seen.flatMap((one) => judgeHost(one, inputs)),
      ...judgeBetween(seen, inputs),
      ...new Set(seen.flatMap(({ restore }) => (restore ? [describeRestore(restore)] : []))),
      ...(await judged(tryOut(context, inputs, oldInputs, seen))),
      ...(bootstrap ? await judged(judgeBootstrap(context, bootstrap, seen)) : []),
      ...(inputs.existingDcs
        ? await judged(
            tryExistingDcs(
              context,
              { cluster: inputs.cluster, files: inputs.dcsFiles ?? {}, ...inputs.existingDcs },
              oldInputs.existingDcs,
              urn,
            ),
          )
        : []),
      ...(inputs.survey ? await judged(backupLocales(context, inputs.survey, seen)) : []),
    ];
    await warnOfPreloads(context, urn, inputs.trial, membersOf(seen), found);
    const problems = oneCauseOnce(found, Object.keys(inputs.hosts)).map((reason) => ({
      property: "",
      reason,
    }));
    // The survey itself comes after this: where this fails, it would be told only at the next attempt.
    if (problems.length === 0 || !inputs.survey) return problems;
    const also = await survey.check?.(
      context,
      { cluster: inputs.cluster, ...inputs.survey },
      { backup: oldInputs.survey?.backup },
      urn,
    );
    return [...problems, ...(also ?? []).filter(({ reason }) => !found.includes(reason))];
  },

  async foresee(context, inputs, known) {
    return [
      ...(await foreseeMembers(context, inputs, known)),
      ...foreseeVoters(inputs, known),
      ...(await foreseeServices(context, inputs)),
    ];
  },

  async apply(context, _urn, inputs, known) {
    if (
      known &&
      sameBut(["trial", "services", "logins", "existingDcs", "dcsFiles", "move"], inputs, known)
    )
      return { ...inputs, facts: known.facts };
    const seen = await Promise.all(
      Object.entries(inputs.hosts).map(([host, requirement]) =>
        look(context, host, requirement, [], dcsUserOf(inputs)),
      ),
    );
    const facts = withMembers(learn(seen, known?.facts), inputs, seen, known);
    return { ...inputs, facts: withVoters(facts, inputs, seen, known) };
  },

  async read(_context, _inputs, known) {
    return known;
  },

  async delete() {},
};

/** What keeps the former DCS in the stack, or that nothing does any more. */
async function tellOfMove(
  context: Context,
  { cluster, move }: PreflightInputs,
  { move: before }: Partial<PreflightInputs>,
  urn: string,
): Promise<string[]> {
  const asked = move ?? before;
  if (!asked) return [];
  const left = await whoIsLeftBehind(context, asked, cluster, asked.members);
  if (!move && left.length > 0) {
    return [
      `${left.join(", ")}: expected Patroni in the DCS of cluster.dcs, found it in the one that cluster.dcs.movedFrom named. ` +
        "Put that block back and run pulumi up, which moves the rest; then remove it. To go back, exchange the two blocks.",
    ];
  }
  if (move && left.length === 0 && (await hasMoved(context, asked, cluster))) {
    context.warn(
      urn,
      "pgherd:cluster.dcs.movedFrom: the cluster has moved. Remove it, and pulumi up takes the old DCS out of service; its data stays.",
    );
  }
  return [];
}

/** Whether nothing differs but these: what is tried or told tells nothing of the hosts. */
function sameBut(
  keys: readonly (keyof PreflightInputs)[],
  a: PreflightInputs,
  b: PreflightInputs,
): boolean {
  const others = Object.entries(a).filter(
    ([name]) => !keys.includes(name as keyof PreflightInputs),
  ) as [keyof PreflightInputs, Value][];
  return others.every(([name, value]) => sameValue(value ?? null, (b[name] ?? null) as Value));
}

function membersOf(seen: readonly FoundHost[]): string[] {
  return seen.flatMap(({ host, requirement }) => (requirement.dataDirectory ? [host] : []));
}

/** A host that cannot be asked is a reason among the others. */
function judged(reasons: Promise<string[]>): Promise<string[]> {
  return reasons.catch((error: unknown) => [
    error instanceof Error ? error.message : String(error),
  ]);
}

/** What the hosts have in common, for what depends on it. Exported for its tests. */
export function learn(seen: readonly FoundHost[], before?: HostsFacts): HostsFacts {
  const members = seen.filter(({ requirement }) => requirement.dataDirectory);
  const smallest = (measure: (one: FoundHost) => number) => Math.min(...members.map(measure));
  const versions: { [name: string]: string } = {};
  for (const one of seen) {
    for (const name of one.requirement.packages) {
      const found = versionOn(one, name);
      const lowest = versions[name];
      if (found && (!lowest || compareVersions(found, lowest) < 0)) {
        versions[name] = upstream(found);
      }
    }
  }
  return {
    smallest: {
      memory: smallest(({ facts }) => facts.memory),
      cores: smallest(({ facts }) => facts.cores),
      disk: smallest(({ facts }) => facts.disk.size),
    },
    versions,
    // A cluster that is there already would have to restart for it.
    archives: before ? (before.archives ?? false) : members.every(({ facts }) => !facts.data.found),
  };
}

/** Whose the data of the DCS is. */
function dcsUserOf({ fixed }: PreflightInputs): Owner {
  return kindOfDcs(fixed["dcs.kind"] as DcsKind | undefined).user;
}

async function look(
  context: Context,
  name: string,
  requirement: Requirement,
  vips: readonly string[],
  dcsUser: Owner,
): Promise<FoundHost> {
  const host = context.host(name);
  const { dataDirectory, dcsDirectory, backupDirectory } = requirement;
  const [facts, candidates, installed, restore] = await Promise.all([
    host.observe(
      hostProbe({
        dataDirectory,
        dcs: dcsDirectory ? { directory: dcsDirectory, user: dcsUser } : undefined,
        backupDirectory,
        vips: requirement.interface ? vips : [],
      }),
    ),
    host.observe(packageManager.candidatesProbe(requirement.packages)),
    host.observe(packageManager.installedProbe(requirement.packages)),
    dataDirectory ? host.observe(restoreRecordProbe) : undefined,
  ]);
  // A question of its own, on the connection that is open by now: the shorter it takes, the more its answer tells.
  const clock = await readClock(host);
  return {
    host: name,
    requirement,
    facts,
    dcsUser,
    candidates,
    installed,
    clock,
    closed: [],
    restore,
  };
}

/** Asks from where each host sees us come, where not anybody is to be let in any more. */
function fromWhere(
  context: Context,
  { logins }: PreflightInputs,
  seen: readonly FoundHost[],
): Promise<readonly FoundHost[]> {
  return Promise.all(
    seen.map(async (one) =>
      logins?.[one.host] === undefined
        ? one
        : { ...one, loginFrom: await context.host(one.host).observe(loginAddressProbe) },
    ),
  );
}

/** Tries what must be reached on hosts that are no cluster's yet. On the others pgherd's own rules may still be older ones. */
function reach(context: Context, seen: readonly FoundHost[]): Promise<FoundHost[]> {
  const fresh = new Map(
    seen.filter(isFresh).map(({ host, requirement }) => [host, requirement.address]),
  );
  return Promise.all(
    seen.map(async (one) => {
      const endpoints = one.requirement.reaches.flatMap(({ to, port }) => {
        const address = fresh.get(to);
        return address ? [{ address, port }] : [];
      });
      if (endpoints.length === 0) return one;
      return { ...one, closed: await context.host(one.host).observe(reachProbe(endpoints)) };
    }),
  );
}

async function readClock(host: Host): Promise<FoundHost["clock"]> {
  const sent = Date.now() / 1000;
  const time = await host.observe(clockProbe);
  const received = Date.now() / 1000;
  return { offset: time - (sent + received) / 2, uncertainty: (received - sent) / 2 };
}
