import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

/** The folder that holds `templates/`, from the bundle in `dist/` as well as from the sources. */
export function packageRoot(): string {
  let folder = __dirname;
  while (!existsSync(join(folder, "templates"))) {
    const parent = dirname(folder);
    if (parent === folder) throw new Error(`no folder above ${__dirname} holds templates/`);
    folder = parent;
  }
  return folder;
}
