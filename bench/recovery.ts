import pc from "picocolors";
import { parseOutputs } from "../src/cli/outputs";
import { plainTable } from "../src/cli/table";
import { PgherdError } from "../src/errors";
import { brokenPromises, check, lengthOf, type Verdict } from "../src/lab/chaos/checker";
import { playChaos, type ChaosTarget, type Run } from "../src/lab/chaos/run";
import type { Planned } from "../src/lab/chaos/schedule";
import type { Distro } from "../src/lab/topology";
import { BenchLab } from "./bench-lab";
import { median } from "./results";

const lab = new BenchLab("bench-recovery");

type Profile = "default" | "fast" | "aggressive";

/** One way to fail, and how soon all must be well again: the worst of all runs counts. */
interface Case {
  readonly name: string;
  /** Seconds. */
  readonly wanted: number;
  readonly event: () => Omit<Planned, "name" | "pause">;
  readonly measure: (run: Run, verdict: Verdict) => number;
}

/** What is measured on hosts of one release with one profile. */
interface Setup {
  readonly distro: Distro;
  readonly profile: Profile;
  readonly cases: readonly Case[];
}

/** The times of one case. */
export interface Recovery {
  readonly name: string;
  readonly profile: Profile;
  readonly wanted: number;
  /** A number for each run. */
  readonly seconds: readonly number[];
}

const leaderOff: Case["event"] = () => ({
  lasts: 45,
  wish: ({ leader }) => ({ kind: "power", args: { hosts: [leader] } }),
});

const powerOff = (wanted: number): Case => ({
  name: "power-off of the leader: writes are back",
  wanted,
  event: leaderOff,
  measure: (_run, verdict) => interruption(verdict),
});

const SETUPS: readonly Setup[] = [
  {
    distro: "trixie",
    profile: "fast",
    cases: [
      {
        name: "planned switchover: writes are back",
        wanted: 2,
        event: () => ({
          lasts: 0,
          meanwhile: async () => void (await lab.pgherd("switchover", "--yes")),
        }),
        measure: (_run, verdict) => interruption(verdict),
      },
      powerOff(25),
      {
        name: "power-off of the leader: it is a member again",
        wanted: 60,
        event: leaderOff,
        measure: rejoin,
      },
      {
        name: "crash of PostgreSQL: writes are back",
        wanted: 6,
        event: () => ({
          lasts: 1,
          wish: ({ leader }) => ({ kind: "kill", args: { host: leader, process: "postgres" } }),
        }),
        measure: (_run, verdict) => interruption(verdict),
      },
      {
        name: "power-off of the virtual IP's holder: writes are back",
        wanted: 4,
        event: () => ({
          lasts: 15,
          wish: ({ holder = "" }) => ({ kind: "power", args: { hosts: [holder] } }),
        }),
        measure: (_run, verdict) => interruption(verdict),
      },
    ],
  },
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
      say(`recovery: deploying on ${setup.distro} with the profile ${setup.profile}`);
      await lab.boot({ topology: "standard", distro: setup.distro });
      configure(setup);
      await lab.deploy();
      const target = await targetOf();
      for (const one of setup.cases) {
        const seconds: number[] = [];
        for (let run = 0; run < runs; run++) seconds.push(await measure(target, one));
        const { name, wanted } = one;
        results.push({ name, wanted, profile: setup.profile, seconds });
        say(`${setup.profile}, ${name}: ${seconds.map((value) => value.toFixed(1)).join(" ")} s`);
      }
    }
  } finally {
    await lab.down();
  }
  return results;
}

/** The worst run of each case beside what is wanted, on 80 columns. */
export function renderRecovery(results: readonly Recovery[]): string {
  const table = plainTable(["Recovery", "Profile", "Wanted", "Worst", "Median", ""]);
  for (const { name, profile, wanted, seconds } of results) {
    const worst = Math.max(...seconds);
    const shown = [worst, median(seconds)].map((value) => value.toFixed(1));
    const verdict = worst <= wanted ? pc.green("reached") : pc.red("missed");
    table.push([name.replace(": ", ":\n  "), profile, `${wanted} s`, ...shown, verdict]);
  }
  return `${table.toString()}\n`;
}

async function measure(target: ChaosTarget, one: Case): Promise<number> {
  const planned = { ...one.event(), name: one.name, pause: 0 };
  const run = await playChaos(target, [planned], () => {}, new AbortController().signal);
  const verdict = check(run.history);
  const broken = [...brokenPromises(verdict, { durable: true }), ...run.notRecovered];
  if (broken.length > 0) throw new PgherdError(`${one.name}: ${broken.join("; ")}`);
  return one.measure(run, verdict);
}

/** The longest time without an acknowledged write; one that nobody notices counts as none. */
function interruption({ interruptions: [longest] }: Verdict): number {
  return longest ? lengthOf([longest]) : 0;
}

/** From when it has power again until it streams, with all that it has missed. */
function rejoin({ history }: Run): number {
  const [played] = history.faults;
  return (played?.whole ?? Infinity) - (played?.ended ?? 0);
}

function configure({ distro, profile }: Setup): void {
  lab.configure("lab", (config) => {
    const cluster = config["pgherd:cluster"];
    cluster.failover = { profile };
    Object.assign(cluster.postgresql as object, { version: distro === "trixie" ? 17 : 15 });
  });
}

async function targetOf(): Promise<ChaosTarget> {
  const output = await lab.pulumi("stack", "output", "--json", "--show-secrets", "--stack", "lab");
  const outputs = parseOutputs("lab", output);
  return {
    lab: lab.name,
    members: ["db1", "db2", "db3"],
    port: 5432,
    balancers: ["lb1", "lb2"],
    vips: ["10.89.0.100"],
    client: {
      uri: outputs.connection.primary ?? "",
      user: "app",
      password: outputs.passwords.app ?? "",
      database: "app",
    },
  };
}
