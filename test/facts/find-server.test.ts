import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { sourceProbe } from "../../src/migration/facts/source";

// What a local user of a host can do about the look at a server that is to be migrated: the real script, run as root.

const PORT = 59_871;
const children: ChildProcess[] = [];

afterAll(() => {
  for (const child of children) child.kill("SIGKILL");
});

/** A process of the user nobody that is called postgres, in a directory that tells of a server on a port. */
async function fake(port: number): Promise<{ readonly folder: string; readonly marker: string }> {
  const folder = mkdtempSync(join(tmpdir(), "pgherd-fake-"));
  const [bin, data, marker] = [join(folder, "bin"), join(folder, "data"), join(folder, "as-root")];
  mkdirSync(bin);
  mkdirSync(data);
  copyFileSync("/bin/sleep", join(bin, "postgres"));
  for (const [name, says] of [
    ["psql", "echo '{}'"],
    ["pg_config", "echo /tmp"],
  ] as const) {
    const script = `#!/bin/sh\n[ "$(id -u)" != 0 ] || echo "$0" >>${marker}\n${says}\n`;
    writeFileSync(join(bin, name), script, { mode: 0o755 });
  }
  chmodSync(join(bin, "postgres"), 0o755);
  for (const one of [folder, bin, data]) chmodSync(one, 0o755);
  spawnSync("chown", ["-R", "nobody", folder]);
  const child = spawn(
    "setpriv",
    ["--reuid=nobody", "--regid=nogroup", "--clear-groups", join(bin, "postgres"), "600"],
    { cwd: data, stdio: "ignore" },
  );
  children.push(child);
  await new Promise((resolve) => setTimeout(resolve, 500));
  const pid = String(child.pid);
  writeFileSync(join(data, "postmaster.pid"), `${pid}\n${data}\n0\n${port}\n${folder}\n\n`);
  return { folder, marker };
}

function look(port: number) {
  const probe = sourceProbe(port, "postgres");
  const env = { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C.UTF-8" };
  const { stdout, stderr } = spawnSync("sh", ["-eu"], {
    input: probe.script,
    env,
    encoding: "utf8",
  });
  return () => {
    try {
      return probe.parse(stdout);
    } catch (error) {
      throw new Error(`${(error as Error).message}${stderr}`, { cause: error });
    }
  };
}

const asRoot = process.getuid?.() === 0;

test.runIf(asRoot)(
  "a process that a local user calls postgres is no server, is told of, and nothing of it is run as root",
  async () => {
    const { folder, marker } = await fake(PORT);
    const found = look(PORT);
    expect(existsSync(marker)).toBe(false);
    expect(found).toThrow(`expected PostgreSQL to run on port ${PORT}, found `);
    expect(found).toThrow(
      `of nobody, whose program ${folder}/bin/postgres not only root can exchange`,
    );
  },
);

test.runIf(asRoot)(
  "a pipe or a link in place of its files neither holds root up nor is read by root",
  async () => {
    const { folder } = await fake(PORT + 1);
    const file = join(folder, "data", "postmaster.pid");
    spawnSync("sh", ["-c", `rm "$1" && mkfifo "$1"`, "sh", file]);
    const begun = Date.now();
    expect(look(PORT + 1)).toThrow(`expected PostgreSQL to run on port ${PORT + 1}, found `);
    expect(Date.now() - begun).toBeLessThan(90_000);
  },
);
