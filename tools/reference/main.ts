import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../../src/package-root";
import { referenceTexts } from "./texts";

async function main(): Promise<void> {
  const root = packageRoot();
  for (const [path, text] of Object.entries(await referenceTexts(root))) {
    writeFileSync(join(root, path), text);
    console.log(path);
  }
}

void main();
