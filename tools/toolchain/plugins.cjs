// The language host for Node and the plugins `command` and `random`: official ones where they are or can be had, else ours.
"use strict";

const crypto = require("node:crypto");
const fs = require("node:fs");
const path = require("node:path");
const { atLeast, bin, findOnPath, isProgram, pulumiHome, root } = require("./places.cjs");
const engine = require("./engine.cjs");
const { digestOf } = require("./digests.cjs");
const { run, SetupError } = require("./work.cjs");

const LANGUAGE = {
  program: "pulumi-language-nodejs",
  source: "language-nodejs",
  title: "language host",
};
const RESOURCES = [
  {
    program: "pulumi-resource-command",
    source: "command",
    title: "command",
    version: versionOf("command"),
  },
  {
    program: "pulumi-resource-random",
    source: "random",
    title: "random",
    version: versionOf("random"),
  },
];
const ALL = [LANGUAGE, ...RESOURCES];

/** What a killed set-up was about to rename. */
const LEFT_BEHIND = /\.\d+$/;

/** Whether each plugin is there, and ours only where there is no official one: what is on PATH, the engine prefers. */
function ready() {
  return ALL.every((plugin) => {
    const kept = path.join(bin, plugin.program);
    return official(plugin) ? settled(plugin) : isOurs(kept, mark());
  });
}

async function install() {
  fs.mkdirSync(bin, { recursive: true });
  for (const name of fs.readdirSync(bin))
    if (LEFT_BEHIND.test(name)) fs.rmSync(path.join(bin, name));
  for (const plugin of RESOURCES) if (!official(plugin)) await fetch(plugin);
  for (const plugin of ALL) {
    const kept = path.join(bin, plugin.program);
    const found = official(plugin);
    if (!found) continue;
    if (found === released()) replace(kept, (scratch) => fs.linkSync(found, scratch));
    else fs.rmSync(kept, { force: true });
  }
  const ours = ALL.filter(
    (plugin) => !official(plugin) && !isOurs(path.join(bin, plugin.program), mark()),
  );
  if (ours.length > 0) write(ours);
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

function settled(plugin) {
  const kept = path.join(bin, plugin.program);
  const found = official(plugin);
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

/** Ours, each in one file that needs nothing but Node: clones come and go, and share the cache. */
function write(plugins) {
  const { buildSync } = require("esbuild");
  const { outputFiles } = buildSync({
    entryPoints: plugins.map(({ source, program }) => ({
      in: path.join(root, "tools", "plugins", `${source}.ts`),
      out: program,
    })),
    outdir: bin,
    write: false,
    bundle: true,
    platform: "node",
    target: "node20",
    format: "cjs",
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: "none",
    // ssh2's native speed-ups: it does without them.
    loader: { ".node": "empty" },
    external: ["cpu-features"],
    banner: { js: `#!/usr/bin/env node\n${mark()}` },
    logLevel: "warning",
  });
  for (const { path: file, contents } of outputFiles)
    replace(file.replace(/\.js$/, ""), (scratch) =>
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

/** The second line of a plugin of ours: from which sources it was made. */
function mark() {
  if (sources === undefined) {
    const hash = crypto.createHash("sha256");
    for (const folder of ["tools/plugins", "src/rpc"])
      for (const name of fs.readdirSync(path.join(root, folder)).sort())
        hash.update(name).update(fs.readFileSync(path.join(root, folder, name)));
    sources = hash
      .update(fs.readFileSync(path.join(root, "package-lock.json")))
      .digest("hex")
      .slice(0, 16);
  }
  return `// A stand-in of pgherd's, made from ${sources}`;
}

function versionOf(name) {
  const { dependencies } = JSON.parse(fs.readFileSync(path.join(root, "package.json"), "utf8"));
  return dependencies[`@pulumi/${name}`];
}

module.exports = { describe, install, ready };
