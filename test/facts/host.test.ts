import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { hostProbe } from "../../src/facts/host";

test("a host is told as it is before the first change", () => {
  const output = `system debian 13
architecture x86_64
init systemd
cluster 
data 
listening 0016
listening 0016
listening 1538
interface host0
interface lo
`;
  expect(hostProbe().parse(output)).toEqual({
    system: "debian 13",
    architecture: "x86_64",
    init: "systemd",
    cluster: "",
    dataFound: false,
    listening: [22, 5432],
    interfaces: ["host0", "lo"],
  });
});

test("a host of a cluster with data is told as such", () => {
  const facts = hostProbe().parse("system debian 12\ncluster demo\ndata PG_VERSION\n");
  expect(facts).toMatchObject({ system: "debian 12", cluster: "demo", dataFound: true });
});

test("the question is understood by a real shell", () => {
  const { script, parse } = hostProbe("/etc");
  const facts = parse(execFileSync("/bin/sh", { input: script, encoding: "utf8" }));
  expect(facts.architecture).not.toBe("");
  expect(facts.dataFound).toBe(true);
  expect(facts.interfaces).toContain("lo");
});
