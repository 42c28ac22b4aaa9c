import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import { UsageError } from "../errors";
import { projectRoot, stacksIn } from "./project";

/** Those that come with the package, for somebody to copy. */
const EXAMPLES = ["example", "migration"];

/**
 * The stack that a verb is for where none is named: Pulumi's own choice (`PULUMI_STACK`, else what `pulumi stack select` or
 * `init` has chosen here), so that both speak of the same cluster; else the lab's inside a lab; else the only one there is.
 * @throws UsageError if that does not tell.
 */
export function selectedStack(): string {
  const chosen = process.env.PULUMI_STACK || chosenByPulumi();
  // The whole name may tell the organization and the project too: `organization/pgherd/orders`.
  if (chosen) return chosen.split("/").at(-1) ?? chosen;
  if (process.env.PGHERD_LAB) return "lab";
  const own = stacksIn(projectRoot()).filter((name) => !EXAMPLES.includes(name));
  const [only] = own;
  if (only !== undefined && own.length === 1) return only;
  throw new UsageError(
    `--stack: expected the name of one${own.length > 0 ? ` of ${own.join(", ")}` : ""}, because Pulumi has none selected here.`,
    "Name it, or choose it for all: pulumi stack select NAME",
  );
}

/** What Pulumi keeps for a project (pulumi, sdk/go/common/workspace/workspace.go: `settingsPath`). */
function chosenByPulumi(): string | undefined {
  const project = join(projectRoot(), "Pulumi.yaml");
  try {
    const { name } = parse(readFileSync(project, "utf8")) as { name: string };
    const home = process.env.PULUMI_HOME ?? join(homedir(), ".pulumi");
    const key = createHash("sha1").update(project).digest("hex");
    const file = join(home, "workspaces", `${name}-${key}-workspace.json`);
    return (JSON.parse(readFileSync(file, "utf8")) as { stack?: string }).stack;
  } catch {
    // Nothing was chosen here yet, or not in a way that is known: then it has to be said.
    return undefined;
  }
}
