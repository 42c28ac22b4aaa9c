import { existsSync } from "node:fs";
import { afterAll, beforeAll } from "vitest";
import { down } from "../../src/lab/down";
import { labPaths } from "../../src/lab/paths";
import { LabCluster } from "./lab-cluster";
import { balancer } from "./security/balancer";
import { halfway } from "./security/halfway";
import { doors } from "./security/doors";
import { wal } from "./security/wal";
import { sql } from "./security/sql";
import { root } from "./security/root";
import { testRestore } from "./security/test-restore";
import { firewall } from "./security/firewall";
import { hostile } from "./security/hostile";

// Attempts by those whom docs/security.md names to do what they may not, on one cluster of real hosts. None depends on
// another, and each leaves the cluster as it was.

/** The lab's name, for whoever runs several at once. */
const LAB = process.env.PGHERD_TEST_LAB ?? "t-security";

/** Leaves the lab standing and uses one that stands: for work on these tests. */
const KEEP = Boolean(process.env.PGHERD_TEST_KEEP);

const cluster = new LabCluster(LAB).varying((settings) => {
  settings.cluster.backup = {
    host: "backup1",
    verify: {
      checks: [
        { database: "app", sql: "select count(*) > 0 from pg_class" },
        {
          database: "app",
          // Nothing of a look is left for a stack's own questions.
          sql: "select not exists (select from pg_catalog.pg_namespace where nspname ~ '^pgherd')",
        },
      ],
    },
  };
});

beforeAll(async () => {
  if (!KEEP || !existsSync(labPaths(LAB).state)) {
    await cluster.boot({ topology: "standard", distro: "trixie", dataFs: "xfs" });
  }
  await cluster.deploy();
  await cluster.healthy();
}, 1_200_000);

afterAll(async () => {
  if (!KEEP) await down(LAB);
});

halfway(cluster);
doors(cluster);
wal(cluster);
sql(cluster);
root(cluster);
testRestore(cluster);
firewall(cluster);
balancer(cluster);
hostile(cluster);
