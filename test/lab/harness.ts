import { test } from "vitest";
import { DISTROS } from "../../src/lab/topology";
import { packageRoot } from "../../src/package-root";

export const ROOT = packageRoot();

/** Whether the longer tests run too, as `npm run test:full` asks. */
export const FULL = Boolean(process.env.PGHERD_TEST_FULL);

/** Whether Debian's coming release is tried too: its archive moves, and its tree is made by `tools/setup-lab forky` only. */
export const FORKY = Boolean(process.env.PGHERD_TEST_FORKY);

/** The DCS of all clusters of which a test says nothing: so what works on etcd is tried on Consul, file by file. */
export const DCS = process.env.PGHERD_TEST_DCS === "consul" ? "consul" : "etcd";

/** The releases that tests run on. */
export const RELEASES = DISTROS.filter((distro) => distro !== "forky" || FORKY);

/** A longer test, for `npm run test:full`. */
export const full = test.runIf(FULL);
