import { closeSync, constants, fstatSync, openSync, readFileSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { PgherdError } from "../errors";

/**
 * Refuses a directory in which another user could put something of his own in place of a file of ours.
 * @param option on the command line that names the file: `--audit-log`.
 * @throws PgherdError
 */
export function requireOwnDirectory(file: string, option: string): void {
  const directory = dirname(file);
  const { uid, mode } = statSync(directory);
  const foreign = uid !== 0 && uid !== process.geteuid?.();
  // In a directory such as /tmp nobody removes what is another's.
  const open = (mode & 0o002) !== 0 && (mode & 0o1000) === 0;
  if (!foreign && !open) return;
  throw new PgherdError(
    `${option}: expected a directory in which only you can replace files, got ${directory}, ` +
      (foreign ? `which belongs to another user (${uid}).` : "which everyone may write to."),
    "Choose a directory of your own.",
  );
}

/**
 * Opens a file to append to, which nobody else reads or has put there; it is made if it is not there.
 * @param option on the command line that names it.
 * @returns its descriptor.
 * @throws PgherdError if it is a link, no plain file, or another user's
 */
export function openOwnFile(file: string, option: string): number {
  requireOwnDirectory(file, option);
  const { O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_WRONLY } = constants;
  const refuse = (found: string) =>
    new PgherdError(
      `${option}: expected a plain file of your own, got ${file}, which ${found}.`,
      "Remove it, or choose another one.",
    );
  let descriptor: number;
  try {
    // A named pipe without a reader would otherwise be waited for.
    descriptor = openSync(file, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o600);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw refuse(code === "ELOOP" ? "is a link" : `cannot be opened: ${message}`);
  }
  const found = fstatSync(descriptor);
  const problem = !found.isFile()
    ? "is none"
    : found.uid !== process.geteuid?.()
      ? `belongs to another user (${found.uid})`
      : found.nlink > 1
        ? "has another name as well"
        : (found.mode & 0o077) !== 0
          ? `others may open (mode ${(found.mode & 0o777).toString(8)})`
          : undefined;
  if (problem === undefined) return descriptor;
  closeSync(descriptor);
  throw refuse(problem);
}

/**
 * What is in a file that holds a secret.
 * @throws Error if it cannot be read, PgherdError if everyone on this machine may read it
 */
export function readSecret(file: string, option: string): string {
  const descriptor = openSync(file, "r");
  try {
    const { mode } = fstatSync(descriptor);
    if ((mode & 0o007) === 0) return readFileSync(descriptor, "utf8");
  } finally {
    closeSync(descriptor);
  }
  throw new PgherdError(
    `${option}: expected a file that only its owner reads, got ${file}, which every user of this machine may open.`,
    `Run chmod 600 ${file}, and take another secret if somebody may have read it.`,
  );
}
