import { execFileSync, spawnSync } from "node:child_process";

/** Whether file systems can be mounted here that nobody else sees. */
export const canMount = spawnSync("unshare", ["-m", "mount", "--make-rprivate", "/"]).status === 0;

/** A script for mounts that nobody else sees and that end with it: a new file system at a directory, with its lost+found. */
export function newFileSystemAt(directory: string): string {
  return `mount -t tmpfs -o mode=0755 tmpfs '${directory}'\nmkdir -m 0700 '${directory}/lost+found'\n`;
}

/** Runs a script, with `newFileSystemAt` in it, and says what it has said. */
export function withMounts(script: string, environment: NodeJS.ProcessEnv = process.env): string {
  return execFileSync("unshare", ["-m", "--propagation", "private", "/bin/sh", "-eus"], {
    input: script,
    env: environment,
    encoding: "utf8",
    timeout: 30_000,
  });
}
