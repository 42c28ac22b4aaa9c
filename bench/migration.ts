import { join } from "node:path";
import pc from "picocolors";
import { plainTable } from "../src/cli/table";
import { PgherdError } from "../src/errors";
import { packageRoot } from "../src/package-root";
import { LabCluster } from "../test/lab/lab-cluster";
import { PASSWORD, Shop, type ShopReport } from "../test/lab/shop";
import { stranger } from "../test/lab/stranger";

const lab = new LabCluster("bench-migration", {
  configFile: join(packageRoot(), "stacks/Pulumi.migration.yaml"),
});

/** How much there is to copy: pgbench's scale; 50 are 750 MB. */
const SCALE = 50;

const OLD_ADDRESS = "postgresql://shop@10.89.0.11:5432/shop";
const ENTRY_POINT = "postgresql://shop@10.89.0.100:5000/shop";
const REPLICATION_PASSWORD = "battery-staple";

/** What a step of a migration did to clients that write and read all the time. */
export interface MigrationStep {
  readonly method: Method;
  readonly name: string;
  /** Of the whole run of `pulumi up`. */
  readonly seconds: number;
  /** Longest times from one success to the next, in seconds. */
  readonly writes: number;
  readonly reads: number;
  /** What the longest time without writes should be at most; none where nothing was promised. */
  readonly wanted?: number;
}

type Method = "adopt" | "standbyCluster";

/** A run of `pulumi up`, and where clients find the database meanwhile. */
interface Step {
  readonly name: string;
  readonly settings: object;
  readonly places: readonly string[];
  readonly wanted?: number;
}

interface Way {
  readonly method: Method;
  /** What the block `migration` has in all steps, and what else the stack has otherwise. */
  readonly cluster: object;
  readonly migration: object;
  readonly steps: readonly Step[];
  /** Where clients find the database at the end. */
  readonly ends: string;
  readonly prepare?: () => Promise<void>;
}

const BOTH = [OLD_ADDRESS, ENTRY_POINT];

const step = (until: string, wanted: number, places: readonly string[]): Step => ({
  name: until,
  settings: { until },
  places,
  wanted,
});

const WAYS: readonly Way[] = [
  {
    method: "adopt",
    cluster: {},
    migration: { from: "db1" },
    steps: [
      // Until there is another address, to ask for it would only cost clients time.
      step("prepared", 1, [OLD_ADDRESS]),
      step("adopted", 1, [OLD_ADDRESS]),
      // Its one restart, for wal_log_hints.
      step("replicated", 3, [OLD_ADDRESS]),
      step("balanced", 1, [OLD_ADDRESS]),
      step("cutOver", 1, [ENTRY_POINT]),
      { name: "rollback", settings: { rollback: true }, places: BOTH, wanted: 10 },
    ],
    ends: OLD_ADDRESS,
  },
  {
    method: "standbyCluster",
    cluster: {
      members: ["db2", "db3"],
      dcs: { kind: "etcd", members: ["db2", "db3", "lb1"] },
    },
    migration: { method: "standbyCluster", from: "db1" },
    steps: [
      step("prepared", 1, [OLD_ADDRESS]),
      step("replicated", 1, [OLD_ADDRESS]),
      step("balanced", 1, [OLD_ADDRESS]),
      step("cutOver", 5, BOTH),
    ],
    ends: ENTRY_POINT,
    prepare: prepareStream,
  },
];

/**
 * Migrates a server both ways, and one of them back.
 * @throws PgherdError when a row is lost or doubled: times of such a migration are worth nothing
 */
export async function measureMigration(say: (text: string) => void): Promise<MigrationStep[]> {
  const measured: MigrationStep[] = [];
  try {
    for (const way of WAYS) {
      say(`migration: a server with pgbench data of scale ${SCALE}, ${way.method}`);
      await stranger(lab, "trixie", SCALE);
      await way.prepare?.();
      measured.push(...(await migrate(way, say)));
    }
  } finally {
    await lab.down();
  }
  return measured;
}

/** Each step with its time and its interruptions, on 80 columns. */
export function renderMigrations(steps: readonly MigrationStep[]): string {
  const table = plainTable(["Migration", "Step", "Took", "Writes", "Reads", "Wanted", ""]);
  for (const { method, name, seconds, writes, reads, wanted } of steps) {
    const verdict =
      wanted === undefined ? "" : writes <= wanted ? pc.green("reached") : pc.red("missed");
    const times = [seconds.toFixed(0), writes.toFixed(2), reads.toFixed(2)];
    table.push([
      method,
      name,
      ...times.map((time) => `${time} s`),
      wanted ? `${wanted} s` : "",
      verdict,
    ]);
  }
  return `${table.toString()}\n`;
}

/** What the owner of a server does for members that are to follow it. */
async function prepareStream(): Promise<void> {
  await lab.superuserSql(
    "db1",
    `create role replicator login replication password '${REPLICATION_PASSWORD}'`,
  );
  const line = "host replication replicator 10.89.0.0/24 scram-sha-256";
  await lab.onHost("db1", `sudo sed -i '1i ${line}' /etc/postgresql/*/main/pg_hba.conf`);
  await lab.superuserSql("db1", "select pg_reload_conf()");
}

async function migrate(way: Way, say: (text: string) => void): Promise<MigrationStep[]> {
  const shop = new Shop(lab.lab, OLD_ADDRESS);
  const seconds = new Map<string, number>();
  let report: ShopReport;
  try {
    for (const { name, settings, places } of way.steps) {
      shop.move(...places);
      shop.step(name);
      const start = performance.now();
      await configured(way, settings).deploy();
      seconds.set(name, (performance.now() - start) / 1000);
      say(`${way.method}, ${name}: ${seconds.get(name)?.toFixed(0)} s`);
    }
    shop.step("after");
  } finally {
    report = await shop.close();
  }
  await checkRows(way, report);
  return way.steps.map(({ name, wanted }) => ({
    method: way.method,
    name,
    seconds: seconds.get(name) ?? 0,
    writes: (report.steps[name]?.writeMs ?? Infinity) / 1000,
    reads: (report.steps[name]?.readMs ?? Infinity) / 1000,
    wanted,
  }));
}

async function checkRows({ method, ends }: Way, report: ShopReport): Promise<void> {
  // A member, which has psql; the password is in no argument.
  const ask = `read -r PGPASSWORD; export PGPASSWORD; psql -XAtqc 'select id from orders' ${ends}`;
  const answer = await lab.onHost("db2", ask, `${PASSWORD}\n`);
  const found = answer.trim().split("\n");
  const there = new Set(found.map(Number));
  const lost = report.acknowledged.filter((id) => !there.has(id));
  if (lost.length > 0 || there.size !== found.length) {
    throw new PgherdError(
      `${method}: expected every acknowledged row once, found ${lost.length} lost and ${found.length - there.size} doubled.`,
    );
  }
}

function configured({ cluster, migration }: Way, settings: object): LabCluster {
  return lab.varying((stack) => {
    Object.assign(stack.cluster, cluster, { migration: { ...migration, ...settings } });
    stack.migrationPassword = REPLICATION_PASSWORD;
  });
}
