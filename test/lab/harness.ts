import { test } from "vitest";
import { packageRoot } from "../../src/package-root";

export const ROOT = packageRoot();

/** Whether the longer tests run too, as `npm run test:full` asks. */
export const FULL = Boolean(process.env.PGHERD_TEST_FULL);

/** A longer test, for `npm run test:full`. */
export const full = test.runIf(FULL);
