// Starts one of pgherd's programs from its TypeScript sources. A program is bundled into dist/ the first time and again
// whenever a source is newer than its bundle, so that there is no build step to forget and start-up stays fast.
"use strict";

const crypto = require("node:crypto");
const fs = require("node:fs");
const Module = require("node:module");
const path = require("node:path");
const vm = require("node:vm");

const ROOT = path.join(__dirname, "..");
const ENTRIES = {
  bench: "bench/main.ts",
  "bench-floor-program": "bench/floor/program.ts",
  "bench-floor-provider": "bench/floor/provider.ts",
  cli: "src/cli/main.ts",
  library: "src/library.ts",
  program: "src/index.ts",
  provider: "src/provider/main.ts",
  reference: "tools/reference/main.ts",
  "plugins/language-nodejs": "tools/plugins/language-nodejs.ts",
  "plugins/command": "tools/plugins/command.ts",
  "plugins/random": "tools/plugins/random.ts",
};

/** What every run waits for: one file with all packages in it, kept as V8 has compiled it. */
const QUICK = ["cli", "provider", "bench-floor-provider"];
/**
 * What every run waits for too, with the packages that Pulumi has loaded already. Pulumi's SDK looks up in source maps
 * where each resource is made, which takes longer than all of the program's own work.
 */
const UNMAPPED = ["program", "bench-floor-program"];

module.exports = function load(name) {
  // With the places of its sources it is another one.
  const kind = QUICK.includes(name) && process.env.PGHERD_DEBUG ? ".debug" : "";
  const bundle = path.join(ROOT, "dist", `${name}${kind}.cjs`);
  if (!isNewest(bundle)) build(name, bundle);
  // Only a stack is worth the time that reading the sources' places takes.
  if (QUICK.includes(name) && !process.env.PGHERD_DEBUG) return runCompiled(name, bundle);
  if (UNMAPPED.includes(name) && !process.env.PGHERD_DEBUG) Error.prepareStackTrace = undefined;
  // A program of somebody else's is left as he runs it.
  else if (name !== "library") process.setSourceMapsEnabled(true);
  return require(bundle);
};

function build(name, bundle) {
  const { buildSync } = require("esbuild");
  // The engine starts the program and the provider at the same moment: each build writes files of its own and renames.
  const scratch = `${bundle}.${process.pid}`;
  const quick = {
    minifySyntax: true,
    minifyWhitespace: true,
    // ssh2's native speed-ups: it does without them, and loading them takes longer than they save.
    loader: { ".node": "empty" },
    external: ["cpu-features", "esbuild", "fastify", "@fastify/*"],
  };
  const { metafile } = buildSync({
    absWorkingDir: ROOT,
    entryPoints: [ENTRIES[name]],
    outfile: scratch,
    bundle: true,
    platform: "node",
    target: "node20",
    format: "cjs",
    ...(QUICK.includes(name) ? quick : { packages: "external" }),
    // What is loaded as it was compiled does without: nobody reads the places of its sources.
    sourcemap: QUICK.includes(name) && !process.env.PGHERD_DEBUG ? false : "inline",
    sourcesContent: false,
    logLevel: "warning",
    metafile: true,
  });
  const sources = Object.keys(metafile.inputs).map((file) => packageFile(file) ?? file);
  replace(sourcesOf(bundle), JSON.stringify([...new Set(sources)]));
  fs.renameSync(scratch, bundle);
}

/** Loads a bundle by what V8 made of it the last time. Compiling it takes longer than all else that a start does. */
function runCompiled(name, bundle) {
  const source = fs.readFileSync(bundle, "utf8");
  // Each verb of the command line loads parts of its own.
  const [verb = ""] = name === "cli" ? process.argv.slice(2) : [];
  const kept = `${bundle}${/^[a-z]+$/.test(verb) ? `.${verb}` : ""}.v8`;
  // V8 itself notices another version or other flags, but not another text of the same length.
  const text = crypto.createHash("sha256").update(source).digest();
  const found = read(kept);
  const cachedData = found?.subarray(0, text.length).equals(text)
    ? found.subarray(text.length)
    : undefined;
  const script = new vm.Script(Module.wrap(source), { filename: bundle, cachedData });
  const loaded = new Module(bundle);
  script.runInThisContext()(
    loaded.exports,
    Module.createRequire(bundle),
    loaded,
    bundle,
    path.dirname(bundle),
  );
  const keep = () => replace(kept, Buffer.concat([text, script.createCachedData()]));
  if (cachedData && !script.cachedDataRejected) return loaded.exports;
  if (name !== "cli") keep();
  // By then all has been compiled that the verb uses, if it was one.
  else process.once("exit", (code) => code === 0 && keep());
  return loaded.exports;
}

function replace(file, content) {
  const scratch = `${file}.${process.pid}`;
  try {
    fs.writeFileSync(scratch, content);
    fs.renameSync(scratch, file);
  } catch {
    // Where dist/ cannot be written, the next start takes as long as this one.
  }
}

function read(file) {
  try {
    return fs.readFileSync(file);
  } catch {
    return undefined;
  }
}

/** Of a package, wherever npm has put it, what is new with each of its versions; nothing for a file of our own. */
function packageFile(file) {
  const [, folder, name] = /^(.*node_modules\/|(?:\.\.\/)+)((?:@[^/]+\/)?[^/]+)\//.exec(file) ?? [];
  return name && `${folder}${name}/package.json`;
}

/** Whether a bundle is there, and as new as everything that it was made from. */
function isNewest(bundle) {
  const sources = read(sourcesOf(bundle));
  const since = modified(bundle);
  return (
    sources !== undefined &&
    // What is gone may have been moved.
    JSON.parse(sources).every((file) => {
      const at = modified(path.join(ROOT, file));
      return at > 0 && at <= since;
    })
  );
}

/** Where it is written down what a bundle was made from. */
function sourcesOf(bundle) {
  return `${bundle}.sources`;
}

/** 0 where there is none. A package's files are as old as it says, but on this disk since they came. */
function modified(file) {
  const found = fs.statSync(file, { throwIfNoEntry: false });
  return found ? Math.max(found.mtimeMs, found.ctimeMs) : 0;
}
