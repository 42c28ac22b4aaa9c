import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { isProject } from "../init/project";
import { packageRoot } from "../package-root";

/**
 * The folder of the project that is worked on: the nearest one from here upwards that is one, as Pulumi finds it; else
 * the package's own, whose stacks serve whoever works in a clone.
 */
export function projectRoot(): string {
  let folder = process.cwd();
  while (!(existsSync(join(folder, "Pulumi.yaml")) && isProject(folder))) {
    const parent = dirname(folder);
    if (parent === folder) return packageRoot();
    folder = parent;
  }
  return folder;
}
