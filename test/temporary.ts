import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** One folder for all that the tests and what they start leave behind; it goes with the run. */
export default function setup(): () => void {
  const folder = mkdtempSync(join(tmpdir(), "pgherd-tests-"));
  // For tests in which other users have something in it.
  chmodSync(folder, 0o711);
  process.env.TMPDIR = folder;
  return () => rmSync(folder, { recursive: true, force: true });
}
