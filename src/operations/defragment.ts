import { HealthError, PgherdError } from "../errors";
import { dcsOf, type DcsMember, type DcsVoters } from "../dcs/dcs";
import { askAll } from "./ask";
import type { Hosts } from "./drain";
import { waitFor } from "./wait";
import { sizeOf } from "./words";

/** What became of the database of one member, in bytes. */
interface Defragmented {
  readonly host: string;
  readonly before: number;
  readonly after: number;
}

/** A member that was written anew answers within seconds. */
const HEALTHY_SECONDS = 90;

/**
 * Gives back what the DCS's databases hold and nobody needs, one member after the other and the leader last, so that a majority
 * always answers; then takes the alarm back that forbids writes. May be killed at any point: the next call goes on.
 * @throws HealthError if a member is away, with which nothing may be spared, or if a database is still full; PgherdError where
 * the DCS needs no such thing.
 */
export async function defragment(
  hosts: Hosts & { progress(message: string): void },
  voters: DcsVoters,
): Promise<{ readonly members: readonly Defragmented[]; readonly alarms: readonly string[] }> {
  const { members } = voters;
  const { kind, upkeep, ...dcs } = dcsOf(voters);
  if (voters.existing) {
    throw new PgherdError(
      `expected a DCS that pgherd deploys, got the ${kind} that cluster.dcs.endpoints names: it is for whoever runs it to defragment.`,
    );
  }
  if (!upkeep) {
    throw new PgherdError(
      `expected a DCS whose database has to be defragmented, got ${kind}, which does so itself.`,
    );
  }
  const journal = `journalctl -u ${dcs.unit} -n 50`;
  const look = async () => {
    const answers = await askAll(
      hosts,
      Object.keys(members),
      (host, name) => host.observe(dcs.memberProbe(members[name] ?? "")),
      (names) =>
        `expected all members of ${kind} to be healthy, ${names} cannot be asked: a member answers nobody while its database is written anew`,
    );
    return Object.entries(members).map(([host, url]) => ({
      host,
      url,
      ...(answers[host] as DcsMember),
    }));
  };
  const before = await look();
  const away = before.filter(({ healthy }) => !healthy).map(({ host }) => host);
  if (away.length > 0) {
    throw new HealthError(
      `expected all members of ${kind} to be healthy, ${away.join(", ")} is not: a member answers nobody while its database is written anew.`,
      `Bring ${kind} up there first: ${journal}.`,
    );
  }
  const [via = ""] = Object.keys(members);
  await hosts.host(via).change(`compacting ${kind}'s history`, upkeep.compact());
  const inTurn = [...before].sort((a, b) => Number(a.leader) - Number(b.leader));
  for (const { host, url } of inTurn) {
    hosts.progress(`${kind}'s database on ${host} is written anew`);
    await hosts.host(host).change(`defragmenting ${kind}`, upkeep.defragment(url));
    await waitFor(
      async () =>
        (await hosts.host(host).observe(dcs.memberProbe(url))).healthy
          ? { done: true }
          : { missing: "it is not yet" },
      {
        expected: `${kind} on ${host} to be healthy again`,
        seconds: HEALTHY_SECONDS,
        next: `${journal} there.`,
        progress: (message) => hosts.progress(message),
      },
    );
  }
  const after = await look();
  const full = after.filter(isFull);
  if (full.length > 0) {
    const named = full.map(
      ({ host, usedBytes = 0, quotaBytes = 0 }) =>
        `${host} (${sizeOf(usedBytes)} in use of ${sizeOf(quotaBytes)})`,
    );
    throw new HealthError(
      `${kind}'s database is still full on ${named.join(", ")}, so that ${kind} takes no writes.`,
      `Raise pgherd:cluster.dcs.quota and run pulumi up, or delete what others have written: ${upkeep.listKeysByHand}`,
    );
  }
  const alarms = [...new Set(after.flatMap((one) => one.alarms))];
  if (alarms.includes("NOSPACE")) {
    await hosts.host(via).change(`taking ${kind}'s alarm back`, upkeep.takeAlarmsBack());
  }
  const sizes = new Map(after.map(({ host, databaseBytes = 0 }) => [host, databaseBytes]));
  return {
    members: before.map(({ host, databaseBytes = 0 }) => ({
      host,
      before: databaseBytes,
      after: sizes.get(host) ?? 0,
    })),
    alarms,
  };
}

function isFull({ databaseBytes = 0, quotaBytes = Infinity }: DcsMember): boolean {
  return databaseBytes >= quotaBytes;
}
