import { join } from "node:path";
import { readStack } from "../src/cli/stack";
import { PgherdError } from "../src/errors";
import { filesProbe } from "../src/facts/files";
import { hostExec } from "../src/lab/exec";
import { changedFiles } from "../src/operations/files";
import { packageRoot } from "../src/package-root";
import { planCluster } from "../src/plan/plan";
import type { Files } from "../src/plan/types";
import { run } from "./commands";
import { plannedFiles, type Site } from "./site";
import { LAB } from "./sizes";

/**
 * Makes sure that a contender has done what pgherd does: each file that the plan wants stands on its host with that text,
 * mode and owner, but for the passwords, which differ from stack to stack; and the cluster is healthy.
 * @throws PgherdError naming what is not so
 */
export async function requireSameResult(contender: string, site: Site): Promise<void> {
  const plan = planCluster(readStack("lab", site.stackFile));
  const wanted = plannedFiles(plan, () => "-");
  const problems = await Promise.all(
    Object.entries(wanted).map(async ([host, files]) => {
      const compared = withoutSecrets(files, plannedFiles(plan, () => "+")[host] ?? {});
      const probe = filesProbe(Object.keys(compared));
      const found = probe.parse(
        await hostExec(LAB, host, "sudo -n -- /bin/sh -s", { input: probe.script }),
      );
      return changedFiles(compared, found).map((path) => `${host}: ${path}`);
    }),
  );
  const differing = problems.flat();
  if (differing.length > 0)
    throw new PgherdError(
      `${contender}: expected all files as pgherd's plan has them, found others:\n  ${differing.join("\n  ")}`,
      "Bring bench/ansible and bench/pyinfra up to date with the plan.",
    );
  const pgherd = join(packageRoot(), "bin/pgherd");
  await run({ argv: [process.execPath, pgherd, "status", "--config-file", site.stackFile] });
}

/** The files whose text does not depend on a password. */
function withoutSecrets(files: Files, others: Files): Files {
  return Object.fromEntries(
    Object.entries(files).filter(([path, { content }]) => content === others[path]?.content),
  );
}
