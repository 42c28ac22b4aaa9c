import { existsSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { isProject } from "../init/project";
import { packageRoot } from "../package-root";

/** Where the settings of a stack stand in a project's folder. */
export function stackPath(folder: string, stack: string): string {
  return join(folder, "stacks", `Pulumi.${stack}.yaml`);
}

/** The stacks that a project has files for. */
export function stacksIn(folder: string): string[] {
  const stacks = dirname(stackPath(folder, ""));
  const files = existsSync(stacks) ? readdirSync(stacks) : [];
  return files.flatMap((file) => /^Pulumi\.(.+)\.yaml$/.exec(file)?.[1] ?? []);
}

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
