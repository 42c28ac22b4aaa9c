import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { hostsIn, SIZES, writeStackFile } from "../../bench/sizes";
import { readStack } from "../../src/cli/stack";
import { planCluster } from "../../src/plan/plan";

const folder = mkdtempSync(join(tmpdir(), "pgherd-"));

describe.each(SIZES)("a cluster of %i hosts", (size) => {
  const file = join(folder, `${size}.yaml`);
  writeStackFile(size, file, 3);
  const plan = planCluster(readStack("lab", file));

  test("has as many hosts, and all parts", () => {
    expect(hostsIn(size)).toHaveLength(size);
    expect(plan.hosts.map(({ host }) => host).sort()).toEqual(hostsIn(size).sort());
    expect(new Set(plan.services.map(({ daemon }) => daemon))).toEqual(
      new Set(["etcd", "patroni", "haproxy", "keepalived"]),
    );
  });

  test("differs in one file on each balancer when the timeout does", () => {
    const changed = join(folder, `${size}-changed.yaml`);
    writeStackFile(size, changed, 2.5);
    const files = (all: typeof plan.services) => all.map((service) => service.files);
    const others = files(planCluster(readStack("lab", changed)).services);
    const differing = files(plan.services).flatMap((one, i) =>
      Object.keys(one).filter((path) => one[path]?.content !== others[i]?.[path]?.content),
    );
    expect(differing).toEqual(["/etc/haproxy/haproxy.cfg", "/etc/haproxy/haproxy.cfg"]);
  });
});
