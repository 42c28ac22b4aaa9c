// Starts a TypeScript program of this folder, bundled as bin/load.cjs does it with pgherd's own programs:
//   node run.cjs apply-firewall HOST <RULES
"use strict";

const fs = require("node:fs");
const path = require("node:path");
const { buildSync } = require("esbuild");

const [program] = process.argv.splice(2, 1);
const bundle = path.join(__dirname, "../../dist/test", `${program}.${process.pid}.cjs`);
buildSync({
  entryPoints: [path.join(__dirname, `${program}.ts`)],
  outfile: bundle,
  bundle: true,
  platform: "node",
  target: "node20",
  format: "cjs",
  packages: "external",
  logLevel: "warning",
});
process.on("exit", () => fs.rmSync(bundle, { force: true }));
require(bundle);
