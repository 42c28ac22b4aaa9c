import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { PgherdError } from "../errors";
import { labsDir } from "./paths";
import { runAttached, tryRun } from "./run";

/**
 * Checks that this process can make namespaces and has the programs to do so.
 * @throws PgherdError otherwise, in one clear sentence
 */
export function requireRights(): void {
  // Debian gives users a PATH without these; so may sudo.
  process.env["PATH"] = `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin`;
  const missing = PROGRAMS.filter((program) => !onPath(program));
  if (missing.length > 0)
    throw new PgherdError(
      `The lab needs programs that are not installed here: ${missing.join(", ")}.`,
      "Run tools/setup, which installs them.",
    );
  if (!isRoot()) throw new PgherdError(NEEDS_ROOT);
}

/**
 * Runs this very command line again as root when it is not yet. Returns its exit code then, and undefined for root.
 * @throws PgherdError when sudo does not let us
 */
export async function rerunAsRoot(): Promise<number | undefined> {
  if (isRoot()) {
    restoreEnvironment();
    return undefined;
  }
  if (!onPath("sudo") || (await tryRun(["sudo", "-n", "true"])).code !== 0)
    throw new PgherdError(NEEDS_ROOT);
  // Made by us, so that it is ours and not root's.
  fs.mkdirSync(labsDir(), { recursive: true });
  // By a file, because sudo cleans the environment, and a command line could be read by everyone.
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "pgherd-"));
  const file = path.join(folder, "environment");
  fs.writeFileSync(file, JSON.stringify(process.env), { mode: 0o600 });
  try {
    const self = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
    const user = `${process.getuid?.()}:${process.getgid?.()}`;
    return await runAttached([
      ...["sudo", "-n", "--", "env", `${ENVIRONMENT_FILE}=${file}`, `${USER}=${user}`],
      ...self,
    ]);
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

/** Whom the lab's files and the commands run in it belong to, when that is not root. */
export function labUser(): { uid: number; gid: number } | undefined {
  const [uid, gid] = (process.env[USER] ?? "").split(":").map(Number);
  return uid && gid !== undefined ? { uid, gid } : undefined;
}

/** Words to put before a command so that it runs as the lab's user again. */
export function asLabUser(): string[] {
  const user = labUser();
  if (!user) return [];
  return ["setpriv", `--reuid=${user.uid}`, `--regid=${user.gid}`, "--init-groups", "--"];
}

/** Gives a lab's own files, but not its hosts' disks, to the user the lab was made for. */
export function giveToLabUser(dir: string, except: string): void {
  const user = labUser();
  if (!user) return;
  fs.chownSync(dir, user.uid, user.gid);
  for (const entry of fs.readdirSync(dir)) {
    const file = path.join(dir, entry);
    if (file !== except) fs.lchownSync(file, user.uid, user.gid);
  }
}

const PROGRAMS = [
  ...["systemd-nspawn", "ip", "mount", "nsenter", "unshare", "setpriv", "flock"],
  ...["ssh", "ssh-keygen"],
];
const NEEDS_ROOT =
  "The lab makes network namespaces and containers, which takes root: run this as root, or as a user whom sudo asks no password.";
const ENVIRONMENT_FILE = "PGHERD_LAB_ENVIRONMENT";
const USER = "PGHERD_LAB_USER";

function isRoot(): boolean {
  return process.geteuid?.() === 0;
}

function restoreEnvironment(): void {
  const file = process.env[ENVIRONMENT_FILE];
  if (!file) return;
  const user = process.env[USER];
  for (const name of Object.keys(process.env)) delete process.env[name];
  Object.assign(process.env, JSON.parse(fs.readFileSync(file, "utf8")), { [USER]: user });
  fs.rmSync(file);
}

function onPath(program: string): boolean {
  return (process.env["PATH"] ?? "")
    .split(path.delimiter)
    .some((folder) => folder !== "" && fs.existsSync(path.join(folder, program)));
}
