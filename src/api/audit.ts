import { closeSync, fstatSync, mkdirSync, renameSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { openOwnFile } from "./own-file";

/** One changing call, or some that were not let in. */
export interface AuditEntry {
  /** When it came: `2026-11-21T22:38:16.123Z`. */
  readonly at: string;
  /** From where. */
  readonly address: string;
  readonly method: string;
  /** As it was asked for; a long one is cut. */
  readonly path: string;
  /** What was asked for; no secret is part of any request's body. A long one is cut, and is text then. */
  readonly body: unknown;
  /** Of the answer: 200 for done, 401 for not let in, 409 for refused. */
  readonly status: number;
  readonly ms: number;
  /** How many more were not let in from there within a minute; this is the last of them. */
  readonly more?: number;
}

const PATH_CHARACTERS = 200;
const BODY_CHARACTERS = 2000;

/** Bytes after which a file is put aside, and how many of those are kept. */
const LARGEST = 10 * 2 ** 20;
const KEPT = 5;

/**
 * Writes a line of JSON for each call.
 * @param largest in bytes, as for `linesTo`.
 * @throws PgherdError if the file is a link, or another user's
 */
export function auditTo(file: string, largest = LARGEST): (entry: AuditEntry) => void {
  const write = linesTo<AuditEntry>(file, "--audit-log", largest);
  return (entry) => write(shortened(entry));
}

/**
 * Writes a line of JSON for each entry. Only the file's owner may read it. A large file becomes `FILE.1`, and so on; the
 * oldest goes.
 * @param option on the command line that names the file, for messages.
 * @param largest in bytes.
 * @throws PgherdError if the file is a link, or another user's
 */
export function linesTo<Entry extends object>(
  file: string,
  option: string,
  largest = LARGEST,
): (entry: Entry) => void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  // What cannot be written must be known before the first call, not at it.
  let descriptor = openOwnFile(file, option);
  return (entry) => {
    if (fstatSync(descriptor).size >= largest) {
      closeSync(descriptor);
      putAside(file);
      descriptor = openOwnFile(file, option);
    }
    writeSync(descriptor, `${JSON.stringify(entry)}\n`);
  };
}

function putAside(file: string): void {
  for (let n = KEPT - 1; n > 0; n--) move(`${file}.${n}`, `${file}.${n + 1}`);
  move(file, `${file}.1`);
}

function move(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    // There are not that many yet, or somebody has tidied up.
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}

function shortened(entry: AuditEntry): AuditEntry {
  const body = JSON.stringify(entry.body) ?? "";
  return {
    ...entry,
    path: cut(entry.path, PATH_CHARACTERS),
    body: body.length > BODY_CHARACTERS ? cut(body, BODY_CHARACTERS) : entry.body,
  };
}

function cut(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length)}…` : text;
}
