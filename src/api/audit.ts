import { appendFileSync, mkdirSync } from "node:fs";
import { dirname } from "node:path";

/** One changing call, or one that was not let in. */
export interface AuditEntry {
  /** When it came: `2026-11-21T22:38:16.123Z`. */
  readonly at: string;
  /** From where. */
  readonly address: string;
  readonly method: string;
  readonly path: string;
  /** What was asked for; no secret is part of any request's body. */
  readonly body: unknown;
  /** Of the answer: 200 for done, 401 for not let in, 409 for refused. */
  readonly status: number;
  readonly ms: number;
}

/** Writes a line of JSON for each call. Only the file's owner may read it. */
export function auditTo(file: string): (entry: AuditEntry) => void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const append = (text: string) => appendFileSync(file, text, { mode: 0o600 });
  // What cannot be written must be known before the first call, not at it.
  append("");
  return (entry) => append(`${JSON.stringify(entry)}\n`);
}
