import { setTimeout as sleep } from "node:timers/promises";
import pc from "picocolors";
import { plainTable } from "../src/cli/table";
import type { Fork } from "../src/facts/forks";
import { LabCluster } from "../test/lab/lab-cluster";
import { median } from "./results";

/** A file system, a size of the database, and how long forks of it took. */
export interface ForkTimes {
  readonly fileSystem: (typeof FILE_SYSTEMS)[number];
  /** Bytes of the database. */
  readonly size: number;
  /** Seconds of each copy of the files. */
  readonly copies: readonly number[];
  /** Seconds of each whole command, until the fork takes connections. */
  readonly seconds: readonly number[];
}

/** Those that copy on write. */
const FILE_SYSTEMS = ["xfs", "btrfs"] as const;

/** pgbench's scale, of 15 MB each. */
const SCALES = [7, 690];

/** Seconds until a fork of the largest database takes connections, at most. */
const WANTED = 5;

const lab = new LabCluster("bench-fork");

/** Forks a small and a large database again and again, on each file system. */
export async function measureForks(
  rounds: number,
  say: (text: string) => void,
): Promise<ForkTimes[]> {
  const results: ForkTimes[] = [];
  try {
    for (const fileSystem of FILE_SYSTEMS) {
      say(`forks: deploying a leader and a replica on ${fileSystem}`);
      await lab.boot({ topology: "standard", distro: "trixie", dataFs: fileSystem });
      const cluster = configured();
      await cluster.deploy();
      for (const scale of SCALES) {
        say(`forks: pgbench data of scale ${scale}`);
        const size = await fill(scale);
        const forks = [];
        for (let round = 0; round < rounds; round++) forks.push(await fork(cluster));
        const seconds = forks.map((one) => one.seconds);
        const copies = forks.map(({ copied }) => copied / 1000);
        results.push({ fileSystem, size, copies, seconds });
        say(`copied in ${copies.join(" ")} s, took connections after ${seconds.join(" ")} s`);
      }
    }
  } finally {
    await lab.down();
  }
  return results;
}

/** The worst of each, on 80 columns. */
export function renderForks(results: readonly ForkTimes[]): string {
  const header = ["Fork on", "Database", "Copy", "Worst", "Connections after", "Worst", "Wanted"];
  const table = plainTable([...header, ""]);
  for (const { fileSystem, size, copies, seconds } of results) {
    const figures = [copies, seconds].flatMap((times) => [median(times), Math.max(...times)]);
    table.push([
      fileSystem,
      `${(size / 1e9).toFixed(1)} GB`,
      ...figures.map((time) => `${time.toFixed(2)} s`),
      `${WANTED} s`,
      Math.max(...seconds) <= WANTED ? pc.green("reached") : pc.red("missed"),
    ]);
  }
  return `${table.toString()}\n`;
}

function configured(): LabCluster {
  return lab.varying(({ cluster }) => {
    delete cluster.loadBalancers;
    cluster.members = ["db1", "db2"];
    cluster.firewall = { clients: ["10.89.0.0/24"] };
  });
}

/** Makes pgbench's tables anew, waits until the replica has them on its disk. Returns the size of the database. */
async function fill(scale: number): Promise<number> {
  const leader =
    (await lab.superuserSql("db1", "select pg_is_in_recovery()")) === "f" ? "db1" : "db2";
  const replica = leader === "db1" ? "db2" : "db1";
  await lab.onHost(
    leader,
    `cd / && sudo -u postgres /usr/lib/postgresql/17/bin/pgbench -q -i -s ${scale} app 2>&1`,
  );
  await lab.superuserSql(leader, "checkpoint");
  const written = await lab.superuserSql(leader, "select pg_current_wal_lsn()");
  const replayed = `select pg_last_wal_replay_lsn() >= '${written}'`;
  while ((await lab.superuserSql(replica, replayed)) !== "t") await sleep(1000);
  await lab.superuserSql(replica, "checkpoint");
  await lab.onHost(replica, "sync");
  return Number(await lab.superuserSql(leader, "select pg_database_size('app')"));
}

async function fork(cluster: LabCluster): Promise<Fork & { readonly seconds: number }> {
  const made = await cluster.pgherd("fork", "create", "bench", "--json");
  await cluster.pgherd("fork", "drop", "bench");
  return JSON.parse(made) as Fork & { seconds: number };
}
