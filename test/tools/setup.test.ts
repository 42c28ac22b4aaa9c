import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { createRequire } from "node:module";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";

const ROOT = new URL("../..", import.meta.url).pathname;
const LANGUAGE_HOST = "pulumi-language-nodejs";

/** A machine in a folder: its PATH, its Pulumi folder and its cache. */
let machine: string;
/** Where pgherd is: this clone, or one that knows other digests. */
let clone: string;
let releases: Server | undefined;
/** What the release site was asked for. */
let asked: string[];
/** The stand-in for the language host, made once. */
const made = fs.mkdtempSync(path.join(tmpdir(), "pgherd-setup-"));

beforeAll(() => {
  const packages = createRequire(import.meta.url)("../../tools/toolchain/packages.cjs") as {
    ready: () => boolean;
  };
  // Else each set-up here would begin with npm, which these machines have not.
  expect(packages.ready(), "node_modules is as package-lock.json says; else run tools/setup").toBe(
    true,
  );
});
beforeEach(() => {
  clone = ROOT;
  machine = fs.mkdtempSync(path.join(tmpdir(), "pgherd-setup-"));
  for (const name of ["path", "pulumi", "cache"]) fs.mkdirSync(path.join(machine, name));
  for (const name of ["sh", "env", "flock", "curl", "tar", "gzip", "sleep"]) {
    const { stdout } = spawnSync("sh", ["-c", `command -v ${name}`], { encoding: "utf8" });
    if (stdout) fs.symlinkSync(stdout.trim(), path.join(machine, "path", name));
  }
  fs.symlinkSync(process.execPath, path.join(machine, "path", "node"));
});
afterEach(() => {
  releases?.close();
  releases = undefined;
  fs.rmSync(machine, { recursive: true });
});
afterAll(() => fs.rmSync(made, { recursive: true }));

function addStandIn() {
  fs.cpSync(made, path.join(machine, "cache/bin"), { recursive: true });
}

function program(file: string, script: string) {
  fs.mkdirSync(path.dirname(path.join(machine, file)), { recursive: true });
  fs.writeFileSync(path.join(machine, file), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
}

/** A Go whose builds are a script that counts them. */
function go(seconds = 0) {
  program(
    "path/go",
    `case $1 in
  version) echo go version go1.25.0 linux/amd64;;
  build) echo build >>${machine}/builds; sleep ${seconds}
    while [ "$1" != -o ]; do shift; done
    /bin/mkdir -p "\${2%/*}"; printf '#!/bin/sh\\n' >"$2"; /bin/chmod +x "$2";;
esac`,
  );
}

function setup(...options: string[]): Promise<{ code: number | null; output: string }> {
  const child = spawn(path.join(clone, "tools/setup"), ["--no-lab", ...options], {
    env: {
      PATH: path.join(machine, "path"),
      HOME: machine,
      PULUMI_HOME: path.join(machine, "pulumi"),
      PGHERD_CACHE: path.join(machine, "cache"),
      PGHERD_PULUMI_RELEASES: releases
        ? `http://127.0.0.1:${(releases.address() as AddressInfo).port}`
        : "http://127.0.0.1:1",
    },
  });
  let output = "";
  child.stdout.on("data", (bytes) => (output += bytes));
  child.stderr.on("data", (bytes) => (output += bytes));
  return new Promise((resolve) => child.on("close", (code) => resolve({ code, output })));
}

function inBin(): string[] {
  const bin = path.join(machine, "cache", "bin");
  return fs.existsSync(bin) ? fs.readdirSync(bin).sort() : [];
}

function builds(): number {
  const file = path.join(machine, "builds");
  return fs.existsSync(file) ? fs.readFileSync(file, "utf8").split("\n").length - 1 : 0;
}

test("where nothing can be had it builds the engine, adds the stand-ins, and the next run does nothing", async () => {
  go();
  const first = await setup();
  expect(first).toMatchObject({ code: 0 });
  expect(first.output).toContain(
    "Toolchain: engine 3.250.0 (built from source), language host: stand-in, command 1.2.1: stand-in, random 4.21.2: stand-in",
  );
  expect(first.output).toContain("to free them: go clean -cache -modcache");
  expect(inBin()).toEqual(["pulumi", LANGUAGE_HOST]);

  const file = path.join(machine, "cache/bin", LANGUAGE_HOST);
  fs.copyFileSync(file, path.join(made, LANGUAGE_HOST));

  const before = fs.statSync(file).mtimeMs;
  const begin = Date.now();
  expect(await setup()).toEqual({ code: 0, output: "" });
  console.log(`a set-up with nothing to do: ${Date.now() - begin} ms`);
  expect(fs.statSync(file).mtimeMs).toBe(before);
  expect(builds()).toBe(1);

  const { output } = await setup("--status");
  expect(output).toContain("engine 3.250.0 (built from source)");
  expect(output).toContain(`rm -rf ${machine}/cache`);
  for (const { output: said } of [{ output }, await setup("--verbose")])
    expect(said).toContain(
      `The official release is not downloaded: tools/toolchain/digests.cjs has no digest of ${ARCHIVE}.\n`,
    );
});

/** What a plugin prints first. It is ended then. */
async function begins(file: string): Promise<string> {
  const child = spawn(file, ["127.0.0.1:1"], {
    cwd: "/",
    env: { PATH: path.join(machine, "path"), PULUMI_HOME: path.join(machine, "pulumi") },
  });
  const said = await new Promise<string>((resolve) =>
    child.stdout.on("data", (bytes) => resolve(String(bytes))),
  );
  child.kill("SIGINT");
  expect(await new Promise((resolve) => child.on("close", resolve))).toBe(0);
  return said;
}

test("the stand-in for the language host needs nothing but Node", async () => {
  addStandIn();
  expect(await begins(path.join(machine, "cache/bin", LANGUAGE_HOST))).toMatch(/^\d+\n$/);
});

test.each(["command", "random"])(
  "the plugin %s that Pulumi.yaml names is the machine's own, and a stand-in without one",
  async (title) => {
    const plugin = path.join(ROOT, "bin/provider", `pulumi-resource-${title}`);
    expect(await begins(plugin)).toMatch(/^\d+\n$/);
    const official = `pulumi/plugins/resource-${title}-v9.0.0/pulumi-resource-${title}`;
    program(official, "echo another major version");
    expect(await begins(plugin)).toMatch(/^\d+\n$/);
    // The engine's signal may come before it has ended by itself.
    program(`path/pulumi-resource-${title}`, 'trap "exit 0" INT; echo "official, $*"');
    expect(await begins(plugin)).toBe("official, 127.0.0.1:1\n");
  },
);

test("stand-ins of earlier versions are taken from PATH, where the engine warns of them", async () => {
  addStandIn();
  go();
  for (const name of ["command", "random"]) program(`cache/bin/pulumi-resource-${name}`, "");
  await setup();
  expect(inBin()).toEqual(["pulumi", LANGUAGE_HOST]);
});

test("what the machine has is used, and ours get out of its way", async () => {
  addStandIn();
  go();
  await setup();
  program("path/pulumi", "echo v3.260.1");
  program("path/pulumi-language-nodejs", "");
  program("pulumi/plugins/resource-random-v4.30.0/pulumi-resource-random", "");
  program("pulumi/plugins/resource-command-v0.9.0/pulumi-resource-command", "");
  const { output } = await setup();
  expect(output).toBe(
    `Toolchain: engine 3.260.1 (${machine}/path/pulumi), language host: official, command 1.2.1: stand-in, random 4.21.2: official\n`,
  );
  expect(inBin()).toEqual([]);

  fs.rmSync(path.join(machine, "path/pulumi"));
  fs.rmSync(path.join(machine, "path/pulumi-language-nodejs"));
  await setup();
  expect(inBin()).toEqual(["pulumi", LANGUAGE_HOST]);
  expect(builds()).toBe(1);
});

test("an engine of the machine that is too old is not used", async () => {
  addStandIn();
  go();
  program("path/pulumi", "echo v3.100.0");
  expect((await setup()).output).toContain("engine 3.250.0 (built from source)");
});

test.each([
  ["no Go", undefined, "found no Go"],
  ["an old Go", "echo go version go1.19.8 linux/amd64", "found Go 1.19.8"],
])("with %s it says what is needed, in one sentence", async (_, script, found) => {
  program("path/pulumi", "echo v3.100.0");
  program("path/go", script ?? "exit 1");
  const { code, output } = await setup();
  expect(code).toBe(1);
  expect(output).toBe(
    `tools/setup: expected pulumi 3.250.0 or newer, found 3.100.0 (${machine}/path/pulumi). The official release is not ` +
      `downloaded, since tools/toolchain/digests.cjs has no digest of ${ARCHIVE}, and to build it takes Go 1.21.0 or newer, ${found}.\n` +
      "Install one of them and run tools/setup again: Pulumi from https://www.pulumi.com/docs/install/ or Go from https://go.dev/dl/.\n",
  );
});

test("a failed build shows the end of its log, and the next run builds again", async () => {
  addStandIn();
  program(
    "path/go",
    'case $1 in version) echo go version go1.25.0;; *) echo "no space" >&2; exit 1;; esac',
  );
  const { code, output } = await setup();
  expect(code).toBe(1);
  expect(output).toMatch(
    /Building the Pulumi engine .* failed: exit code 1\.\nno space\nThe whole log: /,
  );
  go();
  expect((await setup()).code).toBe(0);
});

test("two set-ups at once build once", async () => {
  addStandIn();
  go(1);
  const both = await Promise.all([setup(), setup()]);
  expect(both.map(({ code }) => code)).toEqual([0, 0]);
  expect(builds()).toBe(1);
});

test("what a killed set-up left is repaired", async () => {
  addStandIn();
  go();
  await setup();
  const bin = path.join(machine, "cache/bin");
  fs.writeFileSync(path.join(bin, LANGUAGE_HOST), "#!/usr/bin/env node\nhalf");
  fs.writeFileSync(path.join(bin, `${LANGUAGE_HOST}.4711`), "");
  fs.writeFileSync(path.join(machine, "cache/setup.lock"), "4711");
  expect((await setup()).code).toBe(0);
  expect(inBin()).toEqual(["pulumi", LANGUAGE_HOST]);
  expect(fs.statSync(path.join(bin, LANGUAGE_HOST)).size).toBeGreaterThan(100_000);
});

const ARCHIVE = `pulumi-v3.250.0-linux-${process.arch}.tar.gz`;

/** A site with a release. Returns the digest of its archive. */
async function serveRelease(): Promise<string> {
  const tree = path.join(machine, "release/pulumi");
  program("release/pulumi/pulumi", "");
  program("release/pulumi/pulumi-language-nodejs", "");
  const archive = path.join(machine, ARCHIVE);
  spawnSync("tar", ["-czf", archive, "-C", path.dirname(tree), "pulumi"]);
  const content = fs.readFileSync(archive);
  const digest = createHash("sha256").update(content).digest("hex");
  const files: { [url: string]: string | Buffer } = {
    [`/v3.250.0/${ARCHIVE}`]: content,
    "/v3.250.0/pulumi-3.250.0-checksums.txt": `${digest}  ${ARCHIVE}\n`,
  };
  asked = [];
  releases = createServer((request, response) => {
    asked.push(request.url ?? "");
    const file = files[request.url ?? ""];
    response.writeHead(file ? 200 : 404).end(file);
  });
  await new Promise<void>((resolve) => releases!.listen(0, "127.0.0.1", resolve));
  return digest;
}

/** Has the set-up run from a clone in which these digests stand. */
function pin(digests: { [archive: string]: string }) {
  clone = path.join(machine, "clone");
  for (const name of ["tools", "src/rpc"])
    fs.cpSync(path.join(ROOT, name), path.join(clone, name), { recursive: true });
  for (const name of ["node_modules", "package.json", "package-lock.json"])
    fs.symlinkSync(path.join(ROOT, name), path.join(clone, name));
  const file = path.join(clone, "tools/toolchain/digests.cjs");
  const text = fs.readFileSync(file, "utf8");
  fs.writeFileSync(
    file,
    text.replace(/^const DIGESTS = .*$/m, `const DIGESTS = ${JSON.stringify(digests)};`),
  );
}

const withoutCurl = spawnSync("curl", ["--version"]).error !== undefined;

test.skipIf(withoutCurl)(
  "a release whose digest is known is taken, with its language host",
  async () => {
    addStandIn();
    pin({ [ARCHIVE]: await serveRelease() });
    const { code, output } = await setup("--verbose");
    expect(code).toBe(0);
    expect(output).toContain("Downloaded Pulumi 3.250.0 from http://127.0.0.1");
    expect(output).toContain("engine 3.250.0 (official release), language host: official");
    expect(output).not.toContain("is not downloaded");
    expect(inBin()).toEqual(["pulumi", LANGUAGE_HOST]);
    expect(fs.readFileSync(path.join(machine, "cache/bin", LANGUAGE_HOST), "utf8")).toBe(
      "#!/bin/sh\n\n",
    );
    expect(await setup()).toEqual({ code: 0, output: "" });
  },
);

test.skipIf(withoutCurl)(
  "a release with another digest than the known one is not installed",
  async () => {
    go();
    pin({ [ARCHIVE]: "f".repeat(64) });
    await serveRelease();
    const { code, output } = await setup();
    expect(code).toBe(1);
    expect(output).toMatch(
      /expected the SHA-256 of tools\/toolchain\/digests.cjs, f{64}, got [0-9a-f]{64}\. Nothing was installed/,
    );
    expect(inBin()).toEqual([]);
  },
);

test("a release that cannot be had is built from source, whatever its digest", async () => {
  addStandIn();
  go();
  pin({ [ARCHIVE]: "f".repeat(64) });
  expect((await setup()).output).toContain("engine 3.250.0 (built from source)");
});

test("a release without a known digest is not asked for, whatever its site says of it", async () => {
  addStandIn();
  go();
  pin({});
  await serveRelease();
  const { output } = await setup();
  expect(output).toContain("engine 3.250.0 (built from source)");
  expect(asked).toEqual([]);
});

test("a release that was downloaded without a known digest is used no more", async () => {
  addStandIn();
  go();
  pin({});
  program("cache/engine/release-3.250.0/pulumi", "");
  fs.linkSync(
    path.join(machine, "cache/engine/release-3.250.0/pulumi"),
    path.join(machine, "cache/bin/pulumi"),
  );
  expect((await setup()).output).toContain("engine 3.250.0 (built from source)");
  expect(fs.existsSync(path.join(machine, "cache/engine/release-3.250.0"))).toBe(false);
});

test("a plugin is installed by its known digest, and not at all without one", async () => {
  addStandIn();
  const architecture = process.arch === "x64" ? "amd64" : process.arch;
  pin({ [`pulumi-resource-random-v4.21.2-linux-${architecture}.tar.gz`]: "a".repeat(64) });
  await serveRelease();
  program(
    "path/pulumi",
    `case $1 in version) echo v3.260.1;; *) echo "$*" >>${machine}/installed;; esac`,
  );
  expect((await setup("--retry")).code).toBe(0);
  expect(fs.readFileSync(path.join(machine, "installed"), "utf8")).toBe(
    `plugin install resource random v4.21.2 --checksum ${"a".repeat(64)}\n`,
  );
});
