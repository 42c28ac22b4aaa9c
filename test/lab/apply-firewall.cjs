// Starts apply-firewall.ts, bundled as bin/load.cjs does it with pgherd's own programs:
//   node apply-firewall.cjs HOST <RULES
"use strict";

const fs = require("node:fs");
const path = require("node:path");
const { buildSync } = require("esbuild");

const bundle = path.join(__dirname, "../../dist/test", `apply-firewall.${process.pid}.cjs`);
buildSync({
  entryPoints: [path.join(__dirname, "apply-firewall.ts")],
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
