// Pulumi's official release: the engine with the language host for Node.
"use strict";

const crypto = require("node:crypto");
const fs = require("node:fs");
const path = require("node:path");
const { digestOf } = require("./digests.cjs");
const { findOnPath } = require("./places.cjs");
const { run, SetupError, size } = require("./work.cjs");

/** Where releases are; a mirror may be named instead. */
const SITE =
  process.env.PGHERD_PULUMI_RELEASES || "https://github.com/pulumi/pulumi/releases/download";
const WANTED = ["pulumi", "pulumi-language-nodejs"];

/** The archive of a release for this machine. */
function archiveOf(version) {
  return `pulumi-v${version}-linux-${process.arch}.tar.gz`;
}

/** Why no release is downloaded, or `undefined` if it may be. */
function undownloadable(version) {
  return digestOf(archiveOf(version)) === undefined
    ? `tools/toolchain/digests.cjs has no digest of ${archiveOf(version)}`
    : undefined;
}

/**
 * Downloads the release, if its digest is known here.
 *
 * @returns false if it is not, or the site does not give the release.
 * @throws SetupError if what came has another digest.
 */
async function downloadRelease(version, folder) {
  const name = archiveOf(version);
  const expected = digestOf(name);
  if (expected === undefined || !findOnPath("curl")) return false;
  const scratch = `${folder}.${process.pid}`;
  fs.rmSync(scratch, { recursive: true, force: true });
  fs.mkdirSync(scratch, { recursive: true });
  try {
    const archive = path.join(scratch, name);
    if (!(await fetched(version, `${SITE}/v${version}/${name}`, archive))) return false;
    const found = crypto.createHash("sha256").update(fs.readFileSync(archive)).digest("hex");
    if (found !== expected)
      throw new SetupError(
        `${SITE}/v${version}/${name}: expected the SHA-256 of tools/toolchain/digests.cjs, ${expected}, got ${found}. Nothing was installed; try again, or from another network.`,
      );
    const bytes = size(archive);
    await run("Unpacking Pulumi", "tar", [
      "-xzf",
      archive,
      "-C",
      scratch,
      "--strip-components=1",
      ...WANTED.map((program) => `pulumi/${program}`),
    ]);
    fs.rmSync(archive);
    fs.rmSync(folder, { recursive: true, force: true });
    fs.renameSync(scratch, folder);
    console.log(`Downloaded Pulumi ${version} from ${SITE} (${bytes}): ${folder}`);
    return true;
  } finally {
    fs.rmSync(scratch, { recursive: true, force: true });
  }
}

/** Whether the site has given the file. Given up on after a few seconds without a connection. */
async function fetched(version, url, file) {
  const options = ["--connect-timeout", "4", "--retry", "3"];
  const patience = ["--speed-time", "30", "--speed-limit", "1000"];
  try {
    const args = ["-fsSL", ...options, ...patience, "-o", file, url];
    await run(`Downloading Pulumi ${version}`, "curl", args);
    return true;
  } catch (error) {
    // It can be built. The log tells more.
    if (!(error instanceof SetupError)) throw error;
    return false;
  }
}

module.exports = { archiveOf, downloadRelease, undownloadable };
