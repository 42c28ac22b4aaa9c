// The language host for Node and the plugins `command` and `random`: official ones where they are or can be had, else ours.
"use strict";

const { spawn } = require("node:child_process");
const crypto = require("node:crypto");
const fs = require("node:fs");
const path = require("node:path");
const { atLeast, bin, findOnPath, isProgram, pulumiHome, root } = require("./places.cjs");
const engine = require("./engine.cjs");
const { digestOf } = require("./digests.cjs");
const { run, SetupError } = require("./work.cjs");

const LANGUAGE = {
  program: "pulumi-language-nodejs",
  title: "language host",
};
const RESOURCES = [
  {
    program: "pulumi-resource-command",
    title: "command",
    version: versionOf("command"),
  },
  {
    program: "pulumi-resource-random",
    title: "random",
    version: versionOf("random"),
  },
];
const ALL = [LANGUAGE, ...RESOURCES];

/** What a killed set-up was about to rename. */
const LEFT_BEHIND = /\.\d+$/;

/** Whether the language host is there, ours only where there is no official one: what is on PATH, the engine prefers. */
function ready() {
  const kept = path.join(bin, LANGUAGE.program);
  const hosted = official(LANGUAGE) ? settled() : isOurs(kept, mark());
  return hosted && formerly().length === 0;
}

async function install() {
  fs.mkdirSync(bin, { recursive: true });
  for (const name of fs.readdirSync(bin))
    if (LEFT_BEHIND.test(name)) fs.rmSync(path.join(bin, name));
  for (const file of formerly()) fs.rmSync(file);
  for (const plugin of RESOURCES) if (!official(plugin)) await fetch(plugin);
  const kept = path.join(bin, LANGUAGE.program);
  const found = official(LANGUAGE);
  if (!found) {
    if (!isOurs(kept, mark())) write();
  } else if (found === released()) replace(kept, (scratch) => fs.linkSync(found, scratch));
  else fs.rmSync(kept, { force: true });
}

/** Stand-ins where earlier versions kept them: on PATH the engine warns of each at every use, and prefers it in other projects too. */
function formerly() {
  return RESOURCES.map(({ program }) => path.join(bin, program)).filter((file) =>
    fs.existsSync(file),
  );
}

/**
 * Is the plugin: the official one in a process of its own, else ours in this one. Pulumi.yaml names the folder that begins
 * it, since of a plugin that stands there the engine neither warns nor asks the network.
 */
function start(title) {
  const found = official(RESOURCES.find((plugin) => plugin.title === title));
  if (!found) return require("../../bin/load.cjs")(`plugins/${title}`);
  let child;
  for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => child.kill(signal));
  child = spawn(found, process.argv.slice(2), { stdio: "inherit" });
  child.on("error", ({ message }) => {
    console.error(`${found}: ${message}`);
    process.exit(1);
  });
  child.on("close", (code) => process.exit(code ?? 1));
}

/** Which set is used, e.g. `language host: stand-in`. */
function describe() {
  return ALL.map((plugin) => {
    const name = plugin.version ? `${plugin.title} ${plugin.version}` : plugin.title;
    return `${name}: ${official(plugin) ? "official" : "stand-in"}`;
  });
}

/** The official plugin's file, if the machine has it. */
function official({ program, title, version }) {
  const onPath = findOnPath(program);
  if (onPath) return onPath;
  if (!version) return [path.join(engine.home(), program)].find(isProgram);
  const folder = path.join(pulumiHome, "plugins");
  const installed = fs.existsSync(folder) ? fs.readdirSync(folder) : [];
  const prefix = `resource-${title}-v`;
  return installed
    .filter(
      (name) => name.startsWith(prefix) && !name.endsWith(".lock") && !name.endsWith(".partial"),
    )
    .filter((name) => compatible(name.slice(prefix.length), version))
    .map((name) => path.join(folder, name, program))
    .find(isProgram);
}

/** As the engine chooses: the same major version, at least what the package asks for. */
function compatible(found, wanted) {
  return found.split(".")[0] === wanted.split(".")[0] && atLeast(found, wanted);
}

/** The language host that came with the release that we downloaded: it is needed in `bin`, beside the engine. */
function released() {
  return engine.own() ? undefined : path.join(engine.home(), LANGUAGE.program);
}

function settled() {
  const kept = path.join(bin, LANGUAGE.program);
  const found = official(LANGUAGE);
  if (found !== released()) return !fs.existsSync(kept);
  return fs.existsSync(kept) && fs.statSync(kept).ino === fs.statSync(found).ino;
}

/** Gets the official one, if its digest is known here. */
async function fetch({ program, title, version }) {
  const architecture = process.arch === "x64" ? "amd64" : process.arch;
  const digest = digestOf(`${program}-v${version}-linux-${architecture}.tar.gz`);
  if (digest === undefined) return;
  const pulumi = engine.own()?.file ?? path.join(bin, "pulumi");
  const args = ["plugin", "install", "resource", title, `v${version}`, "--checksum", digest];
  try {
    await run(`Installing the ${title} plugin`, pulumi, args, { timeout: 120_000, cwd: bin });
  } catch (error) {
    // There is ours. The log tells more.
    if (!(error instanceof SetupError)) throw error;
  }
}

/** Our language host in one file that needs nothing but Node: clones come and go, and share the cache. */
function write() {
  const { buildSync } = require("esbuild");
  const { outputFiles } = buildSync({
    entryPoints: [path.join(root, "tools", "plugins", "language-nodejs.ts")],
    write: false,
    bundle: true,
    platform: "node",
    target: "node20",
    format: "cjs",
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: "none",
    banner: { js: `#!/usr/bin/env node\n${mark()}` },
    logLevel: "warning",
  });
  for (const { contents } of outputFiles)
    replace(path.join(bin, LANGUAGE.program), (scratch) =>
      fs.writeFileSync(scratch, contents, { mode: 0o755 }),
    );
}

function replace(file, make) {
  const scratch = `${file}.${process.pid}`;
  fs.rmSync(scratch, { force: true });
  make(scratch);
  fs.renameSync(scratch, file);
}

function isOurs(file, line) {
  if (!isProgram(file)) return false;
  const bytes = Buffer.alloc(200);
  const handle = fs.openSync(file);
  fs.readSync(handle, bytes);
  fs.closeSync(handle);
  return bytes.toString().split("\n")[1] === line;
}

let sources;

/** The second line of our language host: from which sources it was made. */
function mark() {
  if (sources === undefined) {
    const hash = crypto.createHash("sha256");
    for (const folder of ["tools/plugins", "src/rpc"])
      for (const name of fs.readdirSync(path.join(root, folder)).sort())
        hash.update(name).update(fs.readFileSync(path.join(root, folder, name)));
    sources = hash
      .update(fs.readFileSync(path.join(root, lockFile())))
      .digest("hex")
      .slice(0, 16);
  }
  return `// A stand-in of pgherd's, made from ${sources}`;
}

/** What says which packages they are made with; npm leaves the lock file out of a package. */
function lockFile() {
  return fs.existsSync(path.join(root, "package-lock.json")) ? "package-lock.json" : "package.json";
}

function versionOf(name) {
  const { dependencies } = JSON.parse(fs.readFileSync(path.join(root, "package.json"), "utf8"));
  return dependencies[`@pulumi/${name}`];
}

module.exports = { describe, install, ready, start };
