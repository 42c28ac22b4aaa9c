// The Pulumi engine: the machine's own if it is new enough, else the official release whose digest stands in digests.cjs, else
// built from source.
"use strict";

const { spawnSync } = require("node:child_process");
const crypto = require("node:crypto");
const fs = require("node:fs");
const path = require("node:path");
const { atLeast, bin, cache, findOnPath, isProgram, root } = require("./places.cjs");
const { digestOf } = require("./digests.cjs");
const { archiveOf, downloadRelease, undownloadable } = require("./release.cjs");
const { run, SetupError, size } = require("./work.cjs");

/** The version that is downloaded or built, and the oldest of the machine's own that is taken. */
const VERSION = "3.250.0";

/** Any Go since 1.21 fetches the newer one that go.mod asks for. */
const OLDEST_GO = "1.21.0";

const MODULE = path.join(root, "tools", "engine");
const PACKAGE = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi";
const BUILD = [
  "-trimpath",
  "-ldflags",
  `-s -w -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=${VERSION}`,
];

/**
 * Our engines by where they come from. A changed recipe gives the built one another name, so that it is built anew, and a
 * release is called after its digest: what was downloaded without one is none.
 */
const store = path.join(cache, "engine");
const digest = digestOf(archiveOf(VERSION));
const released = path.join(store, `release-${VERSION}-${digest?.slice(0, 12) ?? "none"}`);
const built = path.join(store, `built-${VERSION}-${recipe()}`);
const ours = path.join(bin, "pulumi");

/** Whether there is an engine, and `bin` holds one if and only if the machine has none of its own. */
function ready() {
  if (own()) return !fs.existsSync(ours);
  const kept = [released, built].find((folder) => isProgram(path.join(folder, "pulumi")));
  return kept !== undefined && sameFile(path.join(kept, "pulumi"), ours);
}

async function install() {
  fs.mkdirSync(bin, { recursive: true });
  if (own()) return fs.rmSync(ours, { force: true });
  if (!isProgram(path.join(released, "pulumi")) && !(await downloadRelease(VERSION, released)))
    if (!isProgram(path.join(built, "pulumi"))) await build();
  // A link, so that the engine looks for its language host in `bin`, where it may be ours.
  const kept = isProgram(path.join(released, "pulumi")) ? released : built;
  const scratch = `${ours}.${process.pid}`;
  fs.rmSync(scratch, { force: true });
  fs.linkSync(path.join(kept, "pulumi"), scratch);
  fs.renameSync(scratch, ours);
  for (const other of fs.readdirSync(store))
    if (path.join(store, other) !== kept) fs.rmSync(path.join(store, other), { recursive: true });
}

/** The engine that runs, e.g. `engine 3.250.0 (built from source)`. */
function describe() {
  const found = own();
  if (found) return `engine ${found.version} (${found.file})`;
  const from = isProgram(path.join(released, "pulumi")) ? "official release" : "built from source";
  return `engine ${VERSION} (${from})`;
}

/** What a user may wonder about an engine that was built: why the official one was not taken. */
function explain() {
  const reason = own() ? undefined : undownloadable(VERSION);
  return reason && `The official release is not downloaded: ${reason}.`;
}

/** The folder in which official programs stand beside the engine. */
function home() {
  const found = own();
  return found ? path.dirname(fs.realpathSync(found.file)) : released;
}

let known;

/** The machine's own engine, if it is new enough. Asked once: the answer takes a while. */
function own() {
  if (known === undefined) {
    const file = findOnPath("pulumi");
    known = { file, version: file && versionOf(file) };
  }
  return known.version && atLeast(known.version, VERSION) ? known : undefined;
}

function versionOf(file) {
  const environment = { ...process.env, PULUMI_SKIP_UPDATE_CHECK: "true" };
  const { stdout } = spawnSync(file, ["version"], { encoding: "utf8", env: environment });
  return /^v?(\d+\.\d+\.\d+)/.exec(stdout ?? "")?.[1];
}

async function build() {
  const go =
    findOnPath("go") ?? (isProgram("/usr/local/go/bin/go") ? "/usr/local/go/bin/go" : undefined);
  const version =
    go && /go(\d+\.\d+(\.\d+)?)/.exec(spawnSync(go, ["version"], { encoding: "utf8" }).stdout)?.[1];
  if (!version || !atLeast(`${version}.0`, OLDEST_GO))
    throw new SetupError(
      `expected pulumi ${VERSION} or newer, found ${oldEngine()}. The official release is not downloaded, since ` +
        `${undownloadable(VERSION) ?? "its site does not give it here"}, and to build it takes Go ${OLDEST_GO} or newer, found ${version ? `Go ${version}` : "no Go"}.\n` +
        "Install one of them and run tools/setup again: Pulumi from https://www.pulumi.com/docs/install/ or Go from https://go.dev/dl/.",
    );
  const scratch = `${built}.${process.pid}`;
  fs.rmSync(scratch, { recursive: true, force: true });
  try {
    const output = path.join(scratch, "pulumi");
    await run(
      "Building the Pulumi engine from source (3 to 6 minutes)",
      go,
      ["build", ...BUILD, "-o", output, PACKAGE],
      {
        cwd: MODULE,
        env: {
          ...process.env,
          CGO_ENABLED: "0",
          GOFLAGS: "-mod=readonly -buildvcs=false",
          GOTOOLCHAIN: "auto",
        },
      },
    );
    fs.rmSync(built, { recursive: true, force: true });
    fs.renameSync(scratch, built);
  } finally {
    fs.rmSync(scratch, { recursive: true, force: true });
  }
  console.log(
    `Built pulumi ${VERSION}: ${built} (${size(path.join(built, "pulumi"))}). ` +
      "Go keeps some 3 GB of its own for the next build; to free them: go clean -cache -modcache",
  );
}

function oldEngine() {
  return known.file ? `${known.version ?? "no version"} (${known.file})` : "none";
}

function recipe() {
  const hash = crypto.createHash("sha256").update(BUILD.join(" "));
  for (const name of ["go.mod", "go.sum"]) hash.update(fs.readFileSync(path.join(MODULE, name)));
  return hash.digest("hex").slice(0, 12);
}

function sameFile(a, b) {
  try {
    return fs.statSync(a).ino === fs.statSync(b).ino;
  } catch {
    return false;
  }
}

module.exports = { describe, explain, home, install, own, ready, VERSION };
