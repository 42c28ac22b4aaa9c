import { execFileSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { fingerprint } from "../../src/host/key-scan";
import { down } from "../../src/lab/down";
import { hostExec } from "../../src/lab/exec";
import { labPaths } from "../../src/lab/paths";
import { tryRun } from "../../src/lab/run";
import { up } from "../../src/lab/up";
import { packageRoot } from "../../src/package-root";
import { FULL } from "./harness";

const LAB = process.env.PGHERD_TEST_LAB ?? "t-init";
const HOSTS = ["db1=10.89.0.11", "db2=10.89.0.12", "witness=10.89.0.29"];
const PGHERD = ["lab", "exec", "--name", LAB, "--"];

let folder = "";

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "pgherd-user-"));
  await down(LAB);
  await up(LAB, { topology: "small" });
  install();
}, 900_000);

afterAll(async () => {
  await down(LAB);
  rmSync(folder, { recursive: true, force: true });
});

/** The package as npm puts it into somebody's folder; the packages that it needs come from this clone, but for the full test. */
function install(): void {
  const packed = execFileSync("npm", ["pack", "--silent", "--pack-destination", folder], {
    cwd: packageRoot(),
    encoding: "utf8",
  });
  const tarball = join(folder, packed.trim());
  if (FULL) {
    npmInstall(folder, tarball);
    return;
  }
  const modules = join(folder, "node_modules");
  mkdirSync(join(modules, "pgherd"), { recursive: true });
  execFileSync("tar", ["xzf", tarball, "--strip-components=1", "-C", join(modules, "pgherd")]);
  const from = join(packageRoot(), "node_modules");
  for (const name of readdirSync(from)) symlinkSync(join(from, name), join(modules, name));
  writeFileSync(join(folder, "package.json"), '{ "private": true }\n');
}

function npmInstall(cwd: string, ...packages: string[]): void {
  execFileSync("npm", ["install", "--no-audit", "--no-fund", ...packages], { cwd });
}

/** Runs a program of the folder's in the lab's network. */
function inFolder(env: { readonly [name: string]: string }, ...argv: string[]) {
  const words = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  const script = 'cd "$1" && shift && exec env "$@"';
  const command = ["sh", "-c", script, "sh", folder, ...words, ...argv];
  return tryRun([join(packageRoot(), "bin/pgherd"), ...PGHERD, ...command]);
}

function init(env: { readonly [name: string]: string }, ...options: string[]) {
  const hosts = HOSTS.flatMap((host) => ["--host", host]);
  const program = join(folder, "node_modules/pgherd/bin/pgherd");
  return inFolder(env, process.execPath, program, "init", ...hosts, "--yes", ...options);
}

function stackOf(name: string) {
  return parse(readFileSync(join(folder, `stacks/Pulumi.${name}.yaml`), "utf8")) as {
    config: { "pgherd:cluster": { [setting: string]: unknown } };
  };
}

describe("in a folder of somebody who has installed the package", () => {
  test("hosts whose keys nobody knows are trusted by their fingerprints only", async () => {
    const strangers = join(folder, "strangers");
    const config = readFileSync(labPaths(LAB).sshConfig, "utf8");
    const none = join(folder, "none");
    writeFileSync(
      strangers,
      config.replace(/UserKnownHostsFile .*/g, `UserKnownHostsFile ${none}`),
    );
    const env = { PGHERD_SSH_CONFIG: strangers };
    const unknown = await init(env);
    expect(unknown).toMatchObject({ code: 1 });
    expect(unknown.stderr).toMatch(/db1 +SHA256:\S+ \(ed25519\)/);
    const prints = await Promise.all(
      HOSTS.map(async (host) => {
        const [name = ""] = host.split("=");
        const key = await hostExec(LAB, name, "cat /etc/ssh/ssh_host_ed25519_key.pub");
        return `${name}=${fingerprint(key)}`;
      }),
    );
    const wrong = prints.map((one) => one.replace(/^(db2=SHA256:).*/, "$1AAAA"));
    const told = (some: string[]) => some.flatMap((one) => ["--fingerprint", one]);
    const other = await init(env, ...told(wrong));
    expect(other).toMatchObject({ code: 2 });
    expect(other.stderr).toMatch(/db2.*\n.*it shows the key SHA256:\S+, not SHA256:AAAA/);
    expect(existsSync(join(folder, "Pulumi.yaml"))).toBe(false);
    expect(await init(env, "--stack", "first", ...told(prints))).toMatchObject({ code: 0 });
    expect(readFileSync(join(folder, "stacks/Pulumi.first.yaml"), "utf8")).toMatch(
      /db2: \{ address: 10\.89\.0\.12, hostKey: ssh-ed25519 AAAA\S+ \}/,
    );
  });

  test("pgherd init writes a project, and pulumi previews it", async () => {
    const done = await init({});
    expect(done).toMatchObject({ code: 0 });
    expect(done.stdout).toMatch(/db1 +10\.89\.0\.11 +debian 13 .*member, etcd/);
    expect(done.stdout).toContain("pulumi preview -s main --diff");
    expect((await inFolder({}, "pulumi", "stack", "init", "main")).code).toBe(0);
    const preview = await inFolder({}, "pulumi", "preview", "--non-interactive", "-s", "main");
    expect(preview).toMatchObject({ code: 0 });
    expect(preview.stdout).toMatch(/\+ \d+ to create/);
  });

  test("a stack that is there is not written over", async () => {
    const again = await init({});
    expect(again).toMatchObject({ code: 2 });
    expect(again.stderr).toContain("stacks/Pulumi.main.yaml is there already");
  });

  test("a server that runs on a host is to be migrated", async () => {
    await hostExec(LAB, "db2", "sudo apt-get -qq install postgresql-17 2>&1");
    expect(await init({}, "--stack", "second")).toMatchObject({ code: 0 });
    expect(stackOf("second").config["pgherd:cluster"]).toMatchObject({
      postgresql: { version: 17 },
      migration: { from: "db2", until: "prepared" },
    });
    await hostExec(LAB, "db2", "sudo pg_dropcluster --stop 17 main");
  });

  // The last one: hosts go on saying what cluster they were a part of.
  test("a program of one's own has two clusters, by the package's own types", async () => {
    const example = "examples/two-clusters";
    const own = join(folder, example);
    cpSync(join(packageRoot(), example), own, { recursive: true });
    if (FULL) npmInstall(own);
    else symlinkSync(join(folder, "node_modules"), join(own, "node_modules"));
    const tsc = join(packageRoot(), "node_modules/typescript/bin/tsc");
    expect(await inFolder({}, process.execPath, tsc, "-p", example)).toMatchObject({ code: 0 });
    const pulumi = (...words: string[]) =>
      // Its types have been looked at already.
      inFolder({ PULUMI_NODEJS_TRANSPILE_ONLY: "true" }, "pulumi", "-C", example, ...words);
    expect(await pulumi("stack", "init", "two")).toMatchObject({ code: 0 });
    const preview = await pulumi("preview", "--non-interactive", "-s", "two", "--diff");
    expect(preview).toMatchObject({ code: 0 });
    expect(preview.stdout).toContain("pgherd:index:HostBase::orders-db1");
    // What is said beside a diff goes to standard error.
    const said = preview.stdout + preview.stderr;
    expect(said).toContain("stock: its settings come from resources that are still");
    if (!FULL) return;
    const up = await pulumi("up", "--yes", "--skip-preview", "--non-interactive", "-s", "two");
    expect(up).toMatchObject({ code: 0 });
    const again = ["--yes", "--skip-preview", "--non-interactive", "--expect-no-changes"];
    expect(await pulumi("up", ...again, "-s", "two")).toMatchObject({ code: 0 });
    expect((await pulumi("destroy", "--yes", "--non-interactive", "-s", "two")).code).toBe(0);
  });
});
