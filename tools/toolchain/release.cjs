// Pulumi's official release: the engine with the language host for Node.
"use strict";

const { spawnSync } = require("node:child_process");
const crypto = require("node:crypto");
const fs = require("node:fs");
const path = require("node:path");
const { findOnPath } = require("./places.cjs");
const { run, SetupError, size } = require("./work.cjs");

/** Where releases are; a mirror may be named instead. */
const SITE =
  process.env.PGHERD_PULUMI_RELEASES || "https://github.com/pulumi/pulumi/releases/download";
const ARCHITECTURES = { x64: "x64", arm64: "arm64" };
const WANTED = ["pulumi", "pulumi-language-nodejs"];

let answered;

/** Whether the official release site can be reached. Asked once, and given up on after a few seconds. */
function reachable(version) {
  answered ??= checksums(version) !== undefined;
  return answered;
}

/**
 * Downloads the release and checks it against the published checksum.
 *
 * @returns false if the site cannot be reached, or has nothing for this machine.
 * @throws SetupError if what came is not what was published.
 */
async function downloadRelease(version, folder) {
  const architecture = ARCHITECTURES[process.arch];
  if (!architecture || !reachable(version)) return false;
  const name = `pulumi-v${version}-linux-${architecture}.tar.gz`;
  const expected = new RegExp(`^([0-9a-f]{64}) [ *]${name.replaceAll(".", "\\.")}$`, "m").exec(
    checksums(version),
  )?.[1];
  if (!expected) return false;
  const scratch = `${folder}.${process.pid}`;
  fs.rmSync(scratch, { recursive: true, force: true });
  fs.mkdirSync(scratch, { recursive: true });
  try {
    const archive = path.join(scratch, name);
    await run(`Downloading Pulumi ${version}`, "curl", [
      "-fsSL",
      "--retry",
      "3",
      "--speed-time",
      "30",
      "--speed-limit",
      "1000",
      "-o",
      archive,
      `${SITE}/v${version}/${name}`,
    ]);
    const found = crypto.createHash("sha256").update(fs.readFileSync(archive)).digest("hex");
    if (found !== expected)
      throw new SetupError(
        `${SITE}/v${version}/${name}: expected the published SHA-256 ${expected}, got ${found}. Nothing was installed; try again, or from another network.`,
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

let published;

function checksums(version) {
  if (!findOnPath("curl")) return undefined;
  published ??= spawnSync(
    "curl",
    [
      "-fsSL",
      "--connect-timeout",
      "4",
      "--max-time",
      "15",
      `${SITE}/v${version}/pulumi-${version}-checksums.txt`,
    ],
    { encoding: "utf8" },
  );
  return published.status === 0 ? published.stdout : undefined;
}

module.exports = { downloadRelease, reachable };
