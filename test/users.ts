import { execFileSync } from "node:child_process";
import { chmodSync, chownSync, mkdirSync, mkdtempSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A user of every Debian who is not root, in a group of the same name. */
export const LESSER = "daemon";
const LESSER_ID = 1;

/** Which of the things that only root can try are tried. */
export const asRoot = process.getuid?.() === 0;

/** A directory that root alone can change, with one in it that is the lesser user's. */
export function ground(): { readonly root: string; readonly lesser: string } {
  const root = mkdtempSync(join(tmpdir(), "pgherd-ground-"));
  chmodSync(root, 0o755);
  const lesser = join(root, "lesser");
  mkdirSync(lesser);
  give(lesser);
  return { root, lesser };
}

/** Gives something to the lesser user. */
export function give(path: string): void {
  chownSync(path, LESSER_ID, LESSER_ID);
}

/** What root's shell makes of a script, and how it ends. */
export function rootShell(script: string): { code: number; stdout: string; stderr: string } {
  try {
    const stdout = execFileSync("/bin/sh", ["-s"], {
      input: script,
      encoding: "utf8",
      stdio: "pipe",
    });
    return { code: 0, stdout, stderr: "" };
  } catch (error) {
    const { status, stdout, stderr } = error as { status: number; stdout: string; stderr: string };
    return { code: status, stdout, stderr };
  }
}

/** Owner and mode: `daemon 700`. */
export function rights(path: string): string {
  const { uid, mode } = statSync(path);
  return `${uid === 0 ? "root" : uid === LESSER_ID ? LESSER : uid} ${(mode & 0o7777).toString(8)}`;
}
