import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** One folder for all that the tests and what they start leave behind; it goes with the run. */
export default function setup(): () => void {
  const folder = mkdtempSync(join(tmpdir(), "pgherd-tests-"));
  process.env.TMPDIR = folder;
  return () => rmSync(folder, { recursive: true, force: true });
}
