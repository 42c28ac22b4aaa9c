import { dcsAt, dcsOf, type DcsMember, type ListedMember } from "../dcs/dcs";
import { HealthError, PgherdError } from "../errors";
import { connectionsProbe } from "../facts/connections";
import { quote } from "../host/shell";
import { waitFor } from "../operations/wait";
import type { FormerVotersInputs } from "../resources/inputs/dcs-cluster";
import { patroni as PATRONI } from "../roles/patroni";
import type { Context } from "./context";
import { untilDone } from "./dcs-joining";
import { close, rulesOn } from "./firewall";
import { formerIn, type Voters, whoAsks } from "./former-in";
import type { ResourceType } from "./resource";

/** An election takes seconds. */
const HEALTHY_SECONDS = 90;

/** Those who voted before leave one at a time, each while all others are healthy; then nobody lets them in any more. */
export const formerVoters: ResourceType<FormerVotersInputs> = {
  identity: ["cluster"],
  derived: ["rules", "crossing", "patroni", "members"],
  id: ({ cluster }) => `${cluster}/former-voters`,
  brief: () => ({ rules: undefined, crossing: undefined }),

  async apply(context, urn, inputs) {
    for (;;) {
      const [next] = await votingOf(context, inputs);
      if (!next) break;
      await takeOut(context, urn, inputs, next);
    }
    for (const host of await openHosts(context, inputs)) {
      context.progress(urn, `closing the firewall of ${host}`);
      await close(context, urn, { host, rules: inputs.rules[host] ?? "" });
    }
    return { ...inputs, voting: [], open: [] };
  },

  async read(context, inputs, known) {
    const [found, open] = await Promise.all([
      formerIn(context, inputs),
      openHosts(context, inputs),
    ]);
    // Where nobody answers, that shows by the DCS itself.
    const voting = found?.map(({ name, peerUrl }) => name || peerUrl) ?? known.voting;
    return { ...inputs, voting, open };
  },

  /** Who has left stays away. */
  async delete() {},
};

async function takeOut(
  context: Context,
  urn: string,
  inputs: FormerVotersInputs,
  { id, name, peerUrl, learner }: ListedMember,
): Promise<void> {
  const who = name || peerUrl;
  const { kind, unit } = dcsOf(inputs);
  const progress = (message: string) => context.progress(urn, message);
  const endpoints = await waitFor<readonly string[]>(
    async () => {
      const healthy = await healthyOf(context, inputs);
      const away = Object.keys(inputs.members).filter(
        (one) => !healthy.includes(inputs.members[one] ?? ""),
      );
      return away.length === 0 ? { done: healthy } : { missing: `${away.join(", ")} not healthy` };
    },
    {
      expected: `${kind} to be healthy on all its hosts before ${who} leaves it`,
      seconds: HEALTHY_SECONDS,
      next: `journalctl -u ${unit} -n 50 on the hosts named; pulumi up goes on from here.`,
      progress,
    },
  );
  progress(`taking ${who} out of ${kind}`);
  const [via = ""] = Object.keys(inputs.members);
  // One that has never voted nobody depends on.
  if (name !== "" && !learner) {
    await handOver(context, inputs, name);
    await untilUnused(context, urn, inputs, name);
  }
  const { joining } = dcsAt({ kind: inputs.kind, endpoints });
  if (!joining)
    throw new PgherdError(`expected a DCS whose members can be taken out, got ${kind}.`);
  await untilDone(context, urn, via, `removing ${who} from ${kind}`, joining.removeMember(id));
}

/** One that leads hands that over first: an election would take its time. That it cannot is no reason to keep it. */
async function handOver(
  context: Context,
  { kind, members, former }: FormerVotersInputs,
  name: string,
): Promise<void> {
  const [via = ""] = Object.keys(members);
  const host = context.host(via);
  const url = former[name] ?? "";
  const own = dcsAt({ kind, endpoints: [url] });
  if (!own.joining || !(await host.observe(own.memberProbe(url))).leader) return;
  const { members: listed } = await host.observe(own.membershipProbe());
  const heir = listed.find((one) => one.name === via);
  if (!heir) return;
  // Without it there is an election.
  await host.change(`having ${via} lead`, `${own.joining.handOver(heir.id)} || :`);
}

/** Milliseconds in which a Patroni turns to another one: it tries each second, and does without for ten (`retry_timeout`). */
const TURNS_MS = 5000;

/** Milliseconds in which one that was stopped is healthy again. */
const BACK_MS = 30_000;

/** How often a Patroni is given the chance to hear of others. */
const CHANCES = 3;

/**
 * Stops one that leaves for a moment, until all members ask another one. A Patroni knows of those
 * that it has heard of when it last had to look (patroni/dcs/etcd.py, `_refresh_machines_cache`: when one fails that it asks, or
 * after ten times the ttl), whatever stands in its configuration: where they all leave it would ask nobody for ever. That the
 * one that it asks fails, and is there again, has it look.
 */
async function untilUnused(
  context: Context,
  urn: string,
  inputs: FormerVotersInputs,
  name: string,
): Promise<void> {
  // One that is gone for good nobody asks any more.
  if (context.isRemoved(name)) return;
  const { kind, unit, memberProbe } = dcsOf(inputs);
  const host = context.host(name);
  const url = inputs.former[name] ?? "";
  let stuck: string[] = [];
  for (let chance = 0; chance < CHANCES; chance++) {
    // Before anything stands still: each must be able to tell.
    await stillAsking(context, inputs, url, 0);
    await host.change(`stopping ${kind}`, stopForAMoment(unit));
    try {
      stuck = await stillAsking(context, inputs, url);
    } finally {
      // With two that vote nobody is taken out while one is away.
      await host.change(`starting ${kind} again`, startAgain(unit));
    }
    const back = await isBack(() => host.observe(memberProbe(url)));
    if (stuck.length === 0) return;
    if (!back) break;
    context.progress(urn, `Patroni on ${stuck.join(", ")} hears from it where the others are`);
    await sleep(TURNS_MS);
  }
  throw new HealthError(
    `expected Patroni on ${stuck.join(", ")} to ask another member of ${kind} than ${name}, which leaves, found that it knows of no other.`,
    `pgherd pause, then systemctl restart patroni there, one at a time, which leaves PostgreSQL running, then pgherd resume and pulumi up again.`,
  );
}

const BACK = "pgherd-dcs-back";

/** It comes back by itself, too: nobody else would start it where this run is cut off, and two that vote are none without it. */
function stopForAMoment(unit: string): string {
  return `systemctl stop ${BACK}.timer 2>/dev/null || : # there is none
systemd-run --quiet --collect --unit=${BACK} --on-active=15 systemctl start --no-block ${quote(unit)}
systemctl stop ${quote(unit)}`;
}

function startAgain(unit: string): string {
  return `systemctl start --no-block ${quote(unit)}
systemctl stop ${BACK}.timer 2>/dev/null || : # it has come back by itself`;
}

/** One that has been broken before need not come back: nobody asks it then. */
async function isBack(look: () => Promise<DcsMember>): Promise<boolean> {
  const end = Date.now() + BACK_MS;
  for (;;) {
    if ((await look()).healthy) return true;
    if (Date.now() > end) return false;
    await sleep(500);
  }
}

/** The members whose Patroni is connected to no other one. */
async function stillAsking(
  context: Context,
  { members, former, patroni }: FormerVotersInputs,
  left: string,
  milliseconds = TURNS_MS,
): Promise<string[]> {
  const others = Object.values({ ...former, ...members })
    .filter((url) => url !== left)
    .map((url) => new URL(url).host);
  const end = Date.now() + milliseconds;
  for (let stuck = Object.keys(patroni); ;) {
    const looks = await Promise.all(
      stuck.map(async (name) => {
        const peers = await context.host(name).observe(connectionsProbe(PATRONI.unit));
        return peers === undefined || peers.some((peer) => others.includes(peer)) ? [] : [name];
      }),
    );
    stuck = looks.flat();
    if (stuck.length === 0 || Date.now() > end) return stuck;
    await sleep(300);
  }
}

/** Those of before who belong to it still. */
async function votingOf(context: Context, inputs: FormerVotersInputs): Promise<ListedMember[]> {
  const found = await formerIn(context, inputs);
  if (found) return found;
  const { kind, unit } = dcsOf(inputs);
  throw new HealthError(
    `${inputs.cluster}: expected a majority of ${kind} to tell who belongs to it, got no answer.`,
    `Bring it up on ${Object.keys(inputs.members).join(", ")} (journalctl -u ${unit} -n 50), then pulumi up again.`,
  );
}

/** Hosts whose firewalls let those of before in. */
async function openHosts(
  context: Context,
  { rules, crossing }: FormerVotersInputs,
): Promise<string[]> {
  const looks = await Promise.all(
    Object.keys(rules).map(async (host) => {
      const found = await rulesOn(context, host);
      return found === crossing[host] && found !== rules[host] ? [host] : [];
    }),
  );
  return looks.flat();
}

async function healthyOf(context: Context, voters: Voters): Promise<readonly string[]> {
  return (await whoAsks(context, voters))?.endpoints ?? [];
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
