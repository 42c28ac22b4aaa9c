// The Node packages of package-lock.json.
"use strict";

const fs = require("node:fs");
const path = require("node:path");
const { root } = require("./places.cjs");
const { run } = require("./work.cjs");

/** Whether node_modules holds what the lock file names. npm writes its own list last, so that half an installation is none. */
function ready() {
  // Where npm has installed pgherd itself, it has installed what pgherd needs.
  if (root.split(path.sep).includes("node_modules")) return true;
  const installed = packagesOf(path.join(root, "node_modules", ".package-lock.json"));
  if (installed === undefined) return false;
  return Object.entries(packagesOf(path.join(root, "package-lock.json")) ?? {}).every(
    ([name, { version, optional, link }]) =>
      name === "" || link || installed[name]?.version === version || (optional && !installed[name]),
  );
}

async function install() {
  const args = ["ci", "--no-audit", "--no-fund", "--loglevel=error"];
  await run("Installing Node packages", "npm", args, { cwd: root });
}

function packagesOf(file) {
  try {
    return JSON.parse(fs.readFileSync(file, "utf8")).packages;
  } catch {
    return undefined;
  }
}

module.exports = { install, ready };
