// Starts one of pgherd's programs from its TypeScript sources. A program is bundled into dist/ the first time and again
// whenever a source is newer than its bundle, so that there is no build step to forget and start-up stays fast.
"use strict";

const fs = require("node:fs");
const path = require("node:path");

const ROOT = path.join(__dirname, "..");
const ENTRIES = {
  cli: "src/cli/main.ts",
  program: "src/index.ts",
  provider: "src/provider/main.ts",
  reference: "tools/reference/main.ts",
  "plugins/language-nodejs": "tools/plugins/language-nodejs.ts",
  "plugins/command": "tools/plugins/command.ts",
  "plugins/random": "tools/plugins/random.ts",
};

module.exports = function load(name) {
  const bundle = path.join(ROOT, "dist", `${name}.cjs`);
  if (newestSource() > modified(bundle)) build(name, bundle);
  process.setSourceMapsEnabled(true);
  return require(bundle);
};

function build(name, bundle) {
  const { buildSync } = require("esbuild");
  // The engine starts the program and the provider at the same moment: each build writes files of its own and renames.
  const scratch = `${bundle}.${process.pid}`;
  buildSync({
    entryPoints: [path.join(ROOT, ENTRIES[name])],
    outfile: scratch,
    bundle: true,
    platform: "node",
    target: "node20",
    format: "cjs",
    packages: "external",
    sourcemap: "inline",
    sourcesContent: false,
    logLevel: "warning",
  });
  fs.renameSync(scratch, bundle);
}

function newestSource() {
  const files = ["package-lock.json"];
  for (const top of ["src", "tools/plugins", "tools/reference"]) {
    const folder = path.join(ROOT, top);
    if (!fs.existsSync(folder)) continue;
    for (const file of fs.readdirSync(folder, { recursive: true }))
      files.push(path.join(top, file));
  }
  return Math.max(...files.map((file) => modified(path.join(ROOT, file))));
}

function modified(file) {
  try {
    return fs.statSync(file).mtimeMs;
  } catch {
    return 0;
  }
}
