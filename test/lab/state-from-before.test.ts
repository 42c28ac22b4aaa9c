import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { packageRoot } from "../../src/package-root";
import { LabCluster } from "./lab-cluster";

const LAB = process.env.PGHERD_TEST_LAB ?? "t-before";

/** The earlier version: `PGHERD_TEST_BEFORE=v0.1.0`, a commit of this repository. There is nothing to compare with without one. */
const BEFORE = process.env.PGHERD_TEST_BEFORE;

describe.runIf(BEFORE)(`a cluster that ${BEFORE} has deployed`, () => {
  const root = join(mkdtempSync(join(tmpdir(), "pgherd-before-")), "pgherd");
  const cluster = new LabCluster(LAB).varying((stack) => {
    const { db1, db2 } = stack.hosts;
    stack.hosts = { db1, db2, witness: { address: "10.89.0.29" } } as typeof stack.hosts;
    stack.cluster.members = ["db1", "db2"];
    (stack.cluster.dcs as { members: string[] }).members = ["db1", "db2", "witness"];
    delete stack.cluster.loadBalancers;
    stack.cluster.firewall = { clients: ["10.89.0.0/24"] };
    stack.cluster.hooks = [{ name: "announce", when: "after", run: "echo changed" }];
  });

  beforeAll(async () => {
    git("worktree", "add", "--detach", root, BEFORE ?? "");
    symlinkSync(join(packageRoot(), "node_modules"), join(root, "node_modules"));
    await cluster.boot({ topology: "small" });
    await cluster.at(root).deploy();
  });

  afterAll(async () => {
    if (!process.env.PGHERD_TEST_KEEP) await cluster.down();
    git("worktree", "remove", "--force", root);
    rmSync(join(root, ".."), { recursive: true, force: true });
  });

  test("is as this version wants it, file by file", async () => {
    await cluster.unchanged();
    expect((await cluster.healthy()).members).toHaveLength(2);
  });
});

function git(...args: string[]): void {
  execFileSync("git", ["-C", packageRoot(), ...args], { stdio: "pipe" });
}
