import { plainTable } from "../src/cli/table";
import type { BaseBackup } from "../src/facts/barman";
import { LabCluster } from "../test/lab/lab-cluster";
import { median } from "./results";

const lab = new LabCluster("bench-restore");

/** The times of one way to have a backup's files back. */
interface RestoreTimes {
  readonly name: string;
  /** A number for each round. */
  readonly seconds: readonly number[];
}

/** How long the same backup takes in several ways. */
export interface RestoreResults {
  /** Bytes of the database. */
  readonly size: number;
  readonly copies: readonly RestoreTimes[];
  /** Seconds of a whole `pgherd restore`, until the cluster serves again. */
  readonly whole: number;
}

const TARGET = "/var/lib/postgresql/17/bench";

/** A way in that Barman's own restore over SSH needs, and pgherd does not give. */
const KEY = "/var/lib/barman/bench-key";

/**
 * Each way fills an empty directory, and its time counts until everything is on disk. All begin with the backup in the
 * page cache, so that none gains by coming after another.
 */
const WAYS: readonly { name: string; host: string; script: (id: string) => string }[] = [
  {
    name: "plain copy on the backup host (cp -a)",
    host: "backup1",
    script: (id) => `cp -a /var/lib/barman/demo/base/${id}/data /var/lib/barman/bench`,
  },
  {
    name: "barman recover to the member, over SSH",
    host: "backup1",
    script: (id) =>
      `runuser -u barman -- barman -q recover --remote-ssh-command "ssh -i ${KEY} -o StrictHostKeyChecking=accept-new postgres@10.89.0.11" demo ${id} ${TARGET}`,
  },
  {
    name: "pgherd to the member, over SSH",
    host: "db1",
    script: (id) =>
      `cd / && runuser -u postgres -- /var/lib/pgherd/from-backup --datadir=${TARGET} --backup=${id}`,
  },
];

/** Restores one backup of a cluster of one member again and again. */
export async function measureRestore(
  rounds: number,
  megabytes: number,
  say: (text: string) => void,
): Promise<RestoreResults> {
  try {
    say("restore: deploying a member and a backup host");
    await lab.boot({ topology: "standard", distro: "trixie" });
    const cluster = configured();
    await cluster.deploy();
    say(`restore: filling it with ${megabytes} MB, and taking a backup`);
    await fill(megabytes);
    const backup = JSON.parse(await cluster.pgherd("backup", "now", "--json")) as BaseBackup;
    await letBarmanIn();
    const times = WAYS.map(({ name }) => ({ name, seconds: [] as number[] }));
    for (let round = 0; round < rounds; round++) {
      for (const [i, way] of WAYS.entries()) {
        const seconds = await take(way.host, way.script(backup.id), backup.id);
        times[i]?.seconds.push(seconds);
        say(`${way.name}: ${seconds.toFixed(1)} s`);
      }
    }
    const outcome = await cluster.pgherd("restore", "--latest", "--yes", "--json");
    const { seconds } = JSON.parse(outcome) as { seconds: number };
    return { size: backup.size, copies: times, whole: seconds };
  } finally {
    await lab.down();
  }
}

/** The rates beside each other, on 80 columns. */
export function renderRestore({ size, copies, whole }: RestoreResults): string {
  const table = plainTable(["Restore", "MB/s", "Seconds"]);
  for (const { name, seconds } of copies) {
    const middle = median(seconds);
    table.push([name, Math.round(size / 1e6 / middle), middle.toFixed(1)]);
  }
  const megabytes = Math.round(size / 1e6);
  return `${table.toString()}\n\nA whole pgherd restore of these ${megabytes} MB: ${whole} s until the cluster serves again.\n`;
}

/** Seconds that a script takes on a host, with what it leaves behind removed before and after. */
async function take(host: string, script: string, id: string): Promise<number> {
  const blank = `rm -rf ${TARGET} /var/lib/barman/bench; sync`;
  await lab.onHost(host, `sudo sh -c '${blank}'`);
  if (host === "backup1") await lab.onHost("db1", `sudo sh -c '${blank}'`);
  await lab.onHost(
    "backup1",
    `sudo sh -c 'cat $(find /var/lib/barman/demo/base/${id}/data -type f) >/dev/null'`,
  );
  const timed = `set -e
start=$(date +%s.%N)
${script} </dev/null >/dev/null
sync
echo "$start $(date +%s.%N)"
${blank}`;
  const output = await lab.onHost(host, "sudo sh", timed);
  const [start = NaN, end = NaN] = output.trim().split(" ").map(Number);
  return end - start;
}

/** Rows of 4 kB, stored as they are. */
async function fill(megabytes: number): Promise<void> {
  const sql = `create table things (i bigint, content text);
alter table things alter content set storage external;
insert into things select i, repeat(md5(i::text), 125) from generate_series(1, ${megabytes * 240}) i;
checkpoint;`;
  await lab.superuserSql("db1", sql);
}

async function letBarmanIn(): Promise<void> {
  const made = await lab.onHost(
    "backup1",
    `sudo runuser -u barman -- ssh-keygen -q -t ed25519 -N '' -f ${KEY} && sudo cat ${KEY}.pub`,
  );
  await lab.onHost("db1", "sudo sh -c 'cat >>~postgres/.ssh/authorized_keys'", made);
}

/** One member that is everything, and a backup host. */
function configured(): LabCluster {
  return lab.varying(({ cluster }) => {
    delete cluster.loadBalancers;
    cluster.members = ["db1"];
    cluster.replication = { mode: "asynchronous" };
    cluster.dcs = { kind: "etcd", members: ["db1"] };
    cluster.firewall = { clients: ["10.89.0.0/24"] };
    cluster.backup = { host: "backup1", verify: false };
  });
}
