import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Distro } from "../../src/lab/topology";
import { packageRoot } from "../../src/package-root";
import type { LabCluster } from "./lab-cluster";
import { PASSWORD } from "./shop";

/** Blank hosts, and on the first of them a server that somebody has set up. @param scale of pgbench's data. */
export async function stranger(lab: LabCluster, distro: Distro, scale: number): Promise<void> {
  await lab.boot({ topology: "standard", distro });
  const script = readFileSync(join(packageRoot(), "test/lab/stranger.sh"), "utf8");
  await lab.onHost("db1", "cat >stranger.sh", script);
  await lab.onHost("db1", `sudo sh stranger.sh ${PASSWORD} ${scale}`);
}
