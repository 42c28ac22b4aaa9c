import pc from "picocolors";
import { plainTable } from "../src/cli/table";
import { PgherdError } from "../src/errors";
import { brokenPromises, check, lengthOf, type Verdict } from "../src/lab/chaos/checker";
import { playChaos, type ChaosTarget, type Run } from "../src/lab/chaos/run";
import type { Planned } from "../src/lab/chaos/schedule";
import type { Distro } from "../src/lab/topology";
import { targetOf } from "../test/lab/experiment";
import { LabCluster } from "../test/lab/lab-cluster";
import { median } from "./results";

const lab = new LabCluster("bench-recovery");

type Profile = "default" | "fast" | "aggressive";

/** One way to fail, and how soon all must be well again: the worst of all runs counts. */
interface Case {
  readonly name: string;
  readonly event: (cluster: LabCluster) => Omit<Planned, "name" | "pause">;
  readonly measures: readonly Measure[];
}

interface Measure {
  readonly what: string;
  /** Seconds. */
  readonly wanted: number;
  readonly of: (run: Run, verdict: Verdict) => number;
}

/** What is measured on hosts of one release with one profile and one DCS. */
interface Setup {
  readonly distro: Distro;
  readonly profile: Profile;
  readonly dcs?: "consul";
  readonly cases: readonly Case[];
}

/** The times of one case. */
export interface Recovery {
  readonly name: string;
  readonly profile: Profile;
  readonly dcs: string;
  readonly wanted: number;
  /** A number for each run. */
  readonly seconds: readonly number[];
}

/** The longest time without an acknowledged write; one that nobody notices counts as none. */
const writesBack = (wanted: number): Measure => ({
  what: "writes are back",
  wanted,
  of: (_run, { interruptions: [longest] }) => (longest ? lengthOf([longest]) : 0),
});

/** From when it has power again until it streams, with all that it has missed. */
const rejoined = (wanted: number): Measure => ({
  what: "it is a member again",
  wanted,
  of: ({ history: { faults } }) => (faults[0]?.whole ?? Infinity) - (faults[0]?.ended ?? 0),
});

const powerOff = (wanted: number, ...others: Measure[]): Case => ({
  name: "power-off of the leader",
  event: () => ({
    lasts: wanted + 10,
    wish: ({ leader }) => ({ kind: "power", args: { hosts: [leader] } }),
  }),
  measures: [writesBack(wanted), ...others],
});

const switchover: Case = {
  name: "planned switchover",
  event: (cluster) => ({
    lasts: 0,
    meanwhile: async () => void (await cluster.pgherd("switchover", "--yes")),
  }),
  measures: [writesBack(2)],
};

const SETUPS: readonly Setup[] = [
  {
    distro: "trixie",
    profile: "fast",
    cases: [
      switchover,
      powerOff(25, rejoined(60)),
      {
        name: "crash of PostgreSQL",
        event: () => ({
          lasts: 1,
          wish: ({ leader }) => ({ kind: "kill", args: { host: leader, process: "postgres" } }),
        }),
        measures: [writesBack(6)],
      },
      {
        name: "power-off of the virtual IP's holder",
        event: () => ({
          lasts: 15,
          wish: ({ holder = "" }) => ({ kind: "power", args: { hosts: [holder] } }),
        }),
        measures: [writesBack(4)],
      },
    ],
  },
  // A cut that takes both leaders may keep writers out for one ttl longer (docs/consul.md, Leases).
  { distro: "trixie", profile: "fast", dcs: "consul", cases: [switchover, powerOff(45)] },
  { distro: "trixie", profile: "default", cases: [powerOff(45)] },
  { distro: "bookworm", profile: "aggressive", cases: [powerOff(8)] },
];

/**
 * Lets a cluster recover again and again, under load and with every row counted.
 * @throws PgherdError when a promise was broken: times of a cluster that loses rows are worth nothing
 */
export async function measureRecovery(
  runs: number,
  say: (text: string) => void,
): Promise<Recovery[]> {
  const results: Recovery[] = [];
  try {
    for (const setup of SETUPS) {
      const { profile, dcs = "etcd" } = setup;
      say(`recovery: deploying on ${setup.distro} with ${dcs} and the profile ${profile}`);
      await lab.boot({ topology: "standard", distro: setup.distro });
      const cluster = configured(setup);
      await cluster.deploy();
      const target = await targetOf(cluster);
      for (const one of setup.cases) {
        const taken: number[][] = [];
        for (let run = 0; run < runs; run++) taken.push(await measure(cluster, target, one));
        for (const [i, { what, wanted }] of one.measures.entries()) {
          const seconds = taken.map((times) => times[i] ?? Infinity);
          const name = `${one.name}: ${what}`;
          results.push({ name, wanted, profile, dcs, seconds });
          say(
            `${dcs}, ${profile}, ${name}: ${seconds.map((value) => value.toFixed(1)).join(" ")} s`,
          );
        }
      }
    }
  } finally {
    await lab.down();
  }
  return results;
}

/** The worst run of each case beside what is wanted, on 80 columns. */
export function renderRecovery(results: readonly Recovery[]): string {
  const table = plainTable(["Recovery", "DCS", "Profile", "Wanted", "Worst", "Median", ""]);
  for (const { name, dcs, profile, wanted, seconds } of results) {
    const worst = Math.max(...seconds);
    const shown = [worst, median(seconds)].map((value) => value.toFixed(1));
    const verdict = worst <= wanted ? pc.green("reached") : pc.red("missed");
    table.push([name.replace(": ", ":\n  "), dcs, profile, `${wanted} s`, ...shown, verdict]);
  }
  return `${table.toString()}\n`;
}

/** One run. Returns what was measured, in the order of the case's measures. */
async function measure(cluster: LabCluster, target: ChaosTarget, one: Case): Promise<number[]> {
  const planned = { ...one.event(cluster), name: one.name, pause: 0 };
  const run = await playChaos(target, [planned], () => {}, new AbortController().signal);
  const verdict = check(run.history);
  const broken = [...brokenPromises(verdict, { durable: true }), ...run.notRecovered];
  if (broken.length > 0) throw new PgherdError(`${one.name}: ${broken.join("; ")}`);
  return one.measures.map(({ of }) => of(run, verdict));
}

function configured({ distro, profile, dcs }: Setup): LabCluster {
  return lab.varying(({ cluster }) => {
    if (dcs) cluster.dcs = { kind: dcs, members: ["db1", "db2", "db3"] };
    cluster.failover = { profile };
    cluster.postgresql = { ...cluster.postgresql, version: distro === "trixie" ? 17 : 15 };
  });
}
