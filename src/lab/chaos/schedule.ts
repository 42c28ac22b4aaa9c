import type { Wish } from "../faults/catalog";

/** Who is meant, until it is known who that is at the moment. */
export interface Roles {
  readonly leader: string;
  readonly replicas: readonly string[];
  readonly members: readonly string[];
  /** Of the virtual IP. */
  readonly holder?: string;
  readonly balancers: readonly string[];
  readonly dcs: DcsPlace;
}

/** Where the DCS answers, which may be on hosts of its own. */
export interface DcsPlace {
  readonly hosts: readonly string[];
  readonly ports: readonly number[];
}

/** A fault of the schedule. */
export interface Planned {
  readonly name: string;
  /** Seconds for which it is in force. */
  readonly lasts: number;
  /** Seconds of peace before it. */
  readonly pause: number;
  /** None where something happens that is no fault: a switchover, say. */
  readonly wish?: (roles: Roles) => Wish;
  /** What else happens while it is in force, at its end. */
  readonly meanwhile?: (roles: Roles) => Promise<void>;
}

type Kind = Omit<Planned, "lasts" | "pause"> & { readonly lasts: readonly [number, number] };

/** What may happen, each with the least and the most seconds that it lasts. */
const KINDS: readonly Kind[] = [
  {
    name: "power cut of the leader",
    lasts: [5, 60],
    wish: ({ leader }) => ({ kind: "power", args: { hosts: [leader] } }),
  },
  {
    name: "power cut of a replica",
    lasts: [5, 40],
    wish: ({ replicas }) => ({ kind: "power", args: { hosts: replicas.slice(0, 1) } }),
  },
  {
    name: "leader hanging",
    lasts: [10, 60],
    wish: ({ leader }) => ({ kind: "hang", args: { hosts: [leader] } }),
  },
  {
    name: "PostgreSQL of the leader killed",
    lasts: [1, 1],
    wish: ({ leader }) => ({ kind: "kill", args: { host: leader, process: "postgres" } }),
  },
  {
    name: "Patroni of the leader killed",
    lasts: [1, 1],
    wish: ({ leader }) => ({ kind: "kill", args: { host: leader, process: "patroni" } }),
  },
  {
    name: "leader cut off from everybody",
    lasts: [10, 60],
    wish: ({ leader }) => ({ kind: "isolate", args: { hosts: [leader] } }),
  },
  {
    name: "leader cut off from the DCS",
    lasts: [10, 60],
    wish: ({ leader, dcs }) => ({
      kind: "cut",
      args: { from: [leader], to: dcs.hosts, ports: dcs.ports },
    }),
  },
  {
    name: "leader hearing nobody",
    lasts: [10, 50],
    wish: ({ leader, replicas }) => ({
      kind: "cut",
      args: { from: replicas, to: [leader], oneWay: true },
    }),
  },
  {
    name: "replica cut off from the leader's WAL",
    lasts: [5, 30],
    wish: ({ leader, replicas }) => ({
      kind: "cut",
      args: { from: replicas.slice(0, 1), to: [leader], ports: [5432] },
    }),
  },
  {
    name: "lossy network around the leader",
    lasts: [10, 40],
    wish: ({ leader, replicas }) => ({
      kind: "cut",
      args: { from: [leader], to: replicas, loss: 20 },
    }),
  },
  {
    name: "flapping link of the leader",
    lasts: [20, 50],
    wish: ({ leader }) => ({ kind: "flap", args: { hosts: [leader], period: 5 } }),
  },
  {
    name: "power cut of the virtual IP's holder",
    lasts: [5, 30],
    wish: ({ holder, balancers, leader }) => ({
      kind: "power",
      args: { hosts: [holder ?? balancers[0] ?? leader] },
    }),
  },
  {
    name: "HAProxy killed where the virtual IP is",
    lasts: [1, 1],
    wish: ({ holder, balancers, leader }) => ({
      kind: "kill",
      args: { host: holder ?? balancers[0] ?? leader, process: "haproxy" },
    }),
  },
];

/** Seconds of peace between two faults. */
const PEACE = [5, 20] as const;

/** Faults in turn, for as long as asked: the same seed is the same schedule. */
export function schedule(seed: number, minutes: number): Planned[] {
  const random = mulberry32(seed);
  const between = (least: number, most: number) => Math.round(least + random() * (most - least));
  const planned: Planned[] = [];
  for (let seconds = 0; seconds < minutes * 60;) {
    const kind = KINDS[Math.floor(random() * KINDS.length)] as Kind;
    const one = { ...kind, lasts: between(...kind.lasts), pause: between(...PEACE) };
    planned.push(one);
    seconds += one.lasts + one.pause;
  }
  return planned;
}

/** A small generator of numbers from 0 to 1, the same on all machines for the same seed (Tommy Ettinger, 2017). */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
