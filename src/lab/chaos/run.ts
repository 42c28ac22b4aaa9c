import path from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { PgherdError } from "../../errors";
import { packageRoot } from "../../package-root";
import { labExecSpawn } from "../exec";
import { inflict } from "../faults/inflict";
import { inside, isOn } from "../faults/inside";
import { labPaths } from "../paths";
import { requireState } from "../state";
import type { History, Played, Probe, Seen, Write } from "./history";
import { now, type LoadEvent, type LoadPlan } from "./load";
import { Members } from "./members";
import type { DcsPlace, Planned, Roles } from "./schedule";

/** The cluster that a run is about. */
export interface ChaosTarget {
  readonly lab: string;
  readonly members: readonly string[];
  readonly port: number;
  readonly balancers: readonly string[];
  readonly vips: readonly string[];
  readonly dcs: DcsPlace;
  readonly client: Pick<LoadPlan, "uri" | "user" | "password" | "database">;
}

export interface Run {
  readonly history: History;
  /** Moments of the monotonic clock. */
  readonly begun: number;
  readonly ended: number;
  /** Faults after which the cluster was not whole again in time, by name. */
  readonly notRecovered: readonly string[];
}

/** Seconds that the cluster has to be whole again once a fault is healed. */
const RECOVERY_SECONDS = 120;
/** Seconds before the first fault and after the last one. */
const CALM_SECONDS = 5;
const FIRST_WRITE_SECONDS = 60;

/**
 * Plays faults in turn while clients write and read through the entry point, and each member is asked by itself whether
 * it takes writes. Every fault is healed, and whatever it has left is waited for.
 * @param say told what happens while it happens.
 */
export async function playChaos(
  target: ChaosTarget,
  faults: readonly Planned[],
  say: (text: string) => void,
  stop: AbortSignal,
): Promise<Run> {
  const { lab, members: names, port, client } = target;
  const members = new Members(lab, names, client.database, port);
  await prepare(members, client.user);
  const writes: Write[] = [];
  const seen: Seen[] = [];
  const probes: Probe[] = [];
  const played: Played[] = [];
  const notRecovered: string[] = [];
  const begun = now();
  const over = new AbortController();
  const probing = names.map((member) =>
    members.probe(member, (probe) => probes.push(probe), over.signal),
  );
  const memberAt = addresses(lab);
  const loading = startLoad(target, (event) => {
    if (event.kind === "seen") seen.push(event);
    else writes.push({ ...event, member: memberAt.get(event.address ?? "") });
  });
  try {
    await firstWrite(writes, client.uri);
    await sleep(CALM_SECONDS * 1000);
    for (const fault of faults) {
      if (stop.aborted) break;
      await sleep(fault.pause * 1000, undefined, { signal: stop }).catch(() => undefined);
      const roles = await rolesNow(target, members);
      if (!roles || stop.aborted) break;
      const one = await play(lab, fault, roles, say, stop);
      const whole = (await members.settle(RECOVERY_SECONDS)) ? now() : undefined;
      played.push({ ...one, whole });
      if (whole === undefined) {
        notRecovered.push(fault.name);
        say(`not whole again ${RECOVERY_SECONDS} s after: ${fault.name}`);
      }
    }
    await sleep(CALM_SECONDS * 1000);
  } finally {
    await loading.stop();
    over.abort();
    await Promise.all(probing);
  }
  const ended = now();
  if (!(await members.settle(RECOVERY_SECONDS))) notRecovered.push("the end");
  const leader = await members.leader();
  if (leader === undefined)
    throw new PgherdError(
      "expected a leader at the end of the run, found none.",
      "Next: pgherd status, and journalctl -u patroni on the members.",
    );
  const final = await members.final(leader);
  return { history: { writes, seen, probes, faults: played, final }, begun, ended, notRecovered };
}

/** A cluster that has just become whole may have an entry point that has not noticed yet. */
async function firstWrite(writes: readonly Write[], uri: string): Promise<void> {
  const end = Date.now() + FIRST_WRITE_SECONDS * 1000;
  while (!writes.some(({ outcome }) => outcome === "ok")) {
    if (Date.now() > end)
      throw new PgherdError(
        `expected writes through ${uri} before the first fault, got none in ${FIRST_WRITE_SECONDS} s.`,
        "Look: pgherd status, and pgherd lab exec -- pgherd psql",
      );
    await sleep(100);
  }
}

async function prepare(members: Members, user: string): Promise<void> {
  const leader = await members.leader();
  if (leader === undefined)
    throw new PgherdError("expected a cluster with a leader, found none.", "Look: pgherd status");
  await members.sql(
    leader,
    `drop table if exists chaos, chaos_probe;
     create table chaos (id bigint generated always as identity primary key, client int, seq int);
     create table chaos_probe (at timestamptz default clock_timestamp());
     grant select, insert on chaos to ${user};`,
  );
  if (!(await members.settle(RECOVERY_SECONDS)))
    throw new PgherdError("expected all members to stream before the run.", "Look: pgherd status");
}

async function play(
  lab: string,
  fault: Planned,
  roles: Roles,
  say: (text: string) => void,
  stop: AbortSignal,
): Promise<Played> {
  const begun = now();
  if (!fault.wish) {
    await fault.meanwhile?.(roles);
    return { what: fault.name, begun, ended: now() };
  }
  const inflicted = await inflict(lab, fault.wish(roles));
  say(`${fault.name}: ${inflicted.what}, for ${fault.lasts} s`);
  try {
    await sleep(fault.lasts * 1000, undefined, { signal: stop }).catch(() => undefined);
    await fault.meanwhile?.(roles);
  } finally {
    await inflicted.heal();
  }
  return { what: inflicted.what, begun, ended: now() };
}

/** Who is what at this moment; undefined while nobody leads. */
async function rolesNow(
  { lab, members: names, balancers, vips, dcs }: ChaosTarget,
  members: Members,
): Promise<Roles | undefined> {
  const leader = await members.leader();
  if (leader === undefined) return undefined;
  const held = await Promise.all(
    balancers.map(async (balancer) =>
      isOn(lab, balancer) ? await inside(lab, balancer, "ip -o address show") : "",
    ),
  );
  const holder = balancers[held.findIndex((text) => vips.some((vip) => text.includes(` ${vip}/`)))];
  const replicas = names.filter((name) => name !== leader);
  return { leader, replicas, members: names, holder, balancers, dcs };
}

function addresses(lab: string): ReadonlyMap<string, string> {
  const { hosts } = requireState(lab, labPaths(lab));
  return new Map(
    hosts.flatMap(({ name, address, address6 }) => [
      [address, name],
      [address6, name],
    ]),
  );
}

/** The load runs in the lab's network, where the clients are; this process needs root's view of the hosts. */
function startLoad(
  { lab, client }: ChaosTarget,
  tell: (event: LoadEvent) => void,
): { stop(): Promise<void> } {
  const plan: LoadPlan = { ...client, clients: CLIENTS, pause: PAUSE_MS };
  const argv = [process.execPath, path.join(packageRoot(), "bin/pgherd"), "lab", "chaos-load"];
  const child = labExecSpawn(lab, argv);
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  createInterface({ input: child.stdout }).on("line", (line) =>
    tell(JSON.parse(line) as LoadEvent),
  );
  child.stdin.write(`${JSON.stringify(plan)}\n`);
  return {
    async stop() {
      child.stdin.end();
      await ended;
    },
  };
}

/** About 50 writes a second in all: enough to see every interruption, and little enough for a small machine. */
const CLIENTS = 4;
const PAUSE_MS = 75;
