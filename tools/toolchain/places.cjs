// Where the set-up finds and keeps things.
"use strict";

const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");

/** This clone. */
const root = path.join(__dirname, "..", "..");

/** What is downloaded and built, shared by all clones. */
const cache =
  process.env.PGHERD_CACHE ||
  path.join(process.env.XDG_CACHE_HOME || path.join(os.homedir(), ".cache"), "pgherd");

/** What `pgherd lab exec` puts first on PATH. It holds only what the machine does not have itself. */
const bin = path.join(cache, "bin");

/** Pulumi's own folder, where its installer and `pulumi plugin install` put things. */
const pulumiHome = process.env.PULUMI_HOME || path.join(os.homedir(), ".pulumi");

/** The first program of this name on PATH that is not ours, or `undefined`. */
function findOnPath(program) {
  return (process.env.PATH || "")
    .split(path.delimiter)
    .filter((folder) => folder !== "" && path.resolve(folder) !== path.resolve(bin))
    .map((folder) => path.join(folder, program))
    .find(isProgram);
}

function isProgram(file) {
  try {
    fs.accessSync(file, fs.constants.X_OK);
    return fs.statSync(file).isFile();
  } catch {
    return false;
  }
}

/** Whether version `a` (`3.250.0`, a leading `v` or a suffix do not matter) is `b` or newer. */
function atLeast(a, b) {
  const parts = (version) => version.replace(/^v/, "").split(/[.+-]/).slice(0, 3).map(Number);
  const [left, right] = [parts(a), parts(b)];
  for (let i = 0; i < 3; i++) if (left[i] !== right[i]) return left[i] > right[i];
  return true;
}

module.exports = { atLeast, bin, cache, findOnPath, isProgram, pulumiHome, root };
