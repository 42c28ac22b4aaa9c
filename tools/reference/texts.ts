import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as prettier from "prettier";
import { jsonSchema, settingsTables } from "../../src/config/reference";

const CONFIGURATION = "docs/configuration.md";
const START = "<!-- settings: written by npm run reference -->";
const END = "<!-- end of settings -->";

/**
 * The files that follow from the schema of the settings, as they have to be, by path below the package's folder.
 * @param root the package's folder.
 */
export async function referenceTexts(root: string): Promise<{ [path: string]: string }> {
  return {
    [CONFIGURATION]: await formatted(root, CONFIGURATION, withTables(read(root, CONFIGURATION))),
    "stacks/pgherd.schema.json": await formatted(
      root,
      "stacks/pgherd.schema.json",
      JSON.stringify(jsonSchema()),
    ),
  };
}

function withTables(page: string): string {
  const [start, end] = [page.indexOf(START), page.indexOf(END)];
  if (start < 0 || end < start) {
    throw new Error(`${CONFIGURATION}: expected the lines "${START}" and "${END}". Put them back.`);
  }
  return `${page.slice(0, start + START.length)}\n\n${settingsTables()}\n\n${page.slice(end)}`;
}

function read(root: string, path: string): string {
  return readFileSync(join(root, path), "utf8");
}

async function formatted(root: string, path: string, text: string): Promise<string> {
  const filepath = join(root, path);
  return prettier.format(text, { ...(await prettier.resolveConfig(filepath)), filepath });
}
