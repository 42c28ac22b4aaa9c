import * as pulumi from "@pulumi/pulumi";
import { afterEach, expect, test } from "vitest";
import { Cluster, type ClusterArgs } from "../../src/components/cluster";
import { loadSettings } from "../../src/config/load";

const HOSTS = JSON.stringify({ a1: { address: "10.0.0.1" }, old1: { address: "10.0.0.2" } });

function cluster(settings: object): string {
  return JSON.stringify({
    name: "shop",
    members: ["a1"],
    dcs: { kind: "etcd", members: ["a1"] },
    firewall: false,
    ...settings,
  });
}

function problems(config: { [key: string]: string }): readonly string[] {
  pulumi.runtime.setAllConfig(config);
  const { name, settings, secrets } = loadSettings();
  try {
    new Cluster(name, { ...(settings as unknown as ClusterArgs), ...secrets });
  } catch (error) {
    expect(error).toBeInstanceOf(pulumi.RunError);
    const lines = (error as Error).message.split("\n").slice(1);
    return lines.map((line) => line.replace(/^ {2}- /, ""));
  }
  return [];
}

afterEach(() => pulumi.runtime.setAllConfig({}));

test("what a stack says to pgherd under an unknown name is told, what it says to others is not", () => {
  expect(
    problems({ "pgherd:host": HOSTS, "pgherd:cluster": cluster({}), "aws:region": "x" }),
  ).toEqual(["pgherd:host: no such setting. Did you mean hosts?"]);
});

test("a text where a block of settings has to be is told as any other mistake", () => {
  expect(problems({ "pgherd:hosts": HOSTS, "pgherd:cluster": "demo" })).toEqual([
    'pgherd:cluster: expected a block of settings, got "demo".',
  ]);
});

test("a password that is missing is told together with all else", () => {
  const migration = { method: "standbyCluster", from: "old9" };
  const found = problems({ "pgherd:hosts": HOSTS, "pgherd:cluster": cluster({ migration, x: 1 }) });
  expect(found.map((one) => one.split(": ")[0])).toEqual([
    "pgherd:cluster.x",
    "pgherd:cluster.migration.from",
    "pgherd:migrationPassword",
  ]);
});
