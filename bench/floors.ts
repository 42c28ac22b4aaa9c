import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { readStack } from "../src/cli/stack";
import { hostExec } from "../src/lab/exec";
import { packageRoot } from "../src/package-root";
import { writeFiles } from "../src/operations/files";
import { packageManager } from "../src/distributions/distributions";
import { planCluster } from "../src/plan/plan";
import { run, type Command } from "./commands";
import { RESOURCES_FILE, type FloorResource } from "./floor/resources";
import type { Part } from "./results";
import type { Site } from "./site";
import { LAB } from "./sizes";
import { forgetStack, secretIn, type Remembered } from "./stack";

/** APT alone, with the same packages, on all hosts at once. */
export const APT = {
  async seconds({ stackFile }: Site): Promise<number> {
    const { hosts } = planCluster(readStack("lab", stackFile));
    const start = performance.now();
    await Promise.all(
      hosts.map(({ host, files, packages }) =>
        // With the files that keep the packages from making a database, which no contender lets them do.
        hostExec(LAB, host, "sudo -n -- /bin/sh -s", {
          input: `{ set -e\n${writeFiles(files)}\n${packageManager.install(packages)}\n} </dev/null\n`,
        }),
      ),
    );
    return (performance.now() - start) / 1000;
  },
};

const PROJECT = join(packageRoot(), "bench/floor");

/**
 * The engine alone: as many resources as the stack has, of the same size and with the same dependencies, of a provider
 * that does nothing.
 */
export const ENGINE = {
  /** Makes all the resources. */
  async prepare(site: Site, stack: readonly Remembered[]): Promise<void> {
    writeFileSync(site.floor, JSON.stringify(floorOf(stack)), { mode: 0o644 });
    await forgetStack(PROJECT);
    await run(pulumi(site, "up", "--yes", "--skip-preview"));
  },

  /** What the engine does in a part of the benchmark. Nothing ever changes. */
  command(site: Site, part: Part): Command {
    return part === "dry-run"
      ? pulumi(site, "preview", "--refresh")
      : pulumi(site, "up", "--yes", "--skip-preview", "--refresh");
  },
};

function pulumi({ floor }: Site, ...args: string[]): Command {
  return {
    argv: [
      ...["pulumi", "-C", PROJECT, ...args],
      ...["--stack", "lab", "--non-interactive", "--color", "never"],
    ],
    env: { [RESOURCES_FILE]: floor },
  };
}

/** The same resources as a stack has, for the provider that does nothing. */
export function floorOf(stack: readonly Remembered[]): FloorResource[] {
  const kept = stack.filter(
    ({ type }) => !type.startsWith("pulumi:providers:") && type !== "pulumi:pulumi:Stack",
  );
  const known = new Set(kept.map(({ urn }) => urn));
  return kept.map(({ urn, custom, parent, dependencies, inputs }) => {
    const own = Object.entries(inputs ?? {}).filter(([key]) => !key.startsWith("__"));
    return {
      name: urn,
      custom,
      parent: parent !== undefined && known.has(parent) ? parent : undefined,
      dependsOn: (dependencies ?? []).filter((one) => known.has(one)),
      inputs: Object.fromEntries(own.map(([key, value]) => [key, revealed(value)])),
      secrets: own.filter(([, value]) => holdsSecret(value)).map(([key]) => key),
    };
  });
}

function holdsSecret(value: unknown): boolean {
  if (secretIn(value) !== undefined) return true;
  return typeof value === "object" && value !== null && Object.values(value).some(holdsSecret);
}

function revealed(value: unknown): unknown {
  const secret = secretIn(value);
  if (secret !== undefined) return secret;
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(revealed);
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, revealed(one)]));
}
