import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

// A folder where the results also go as JSON, a file each run, for the continuous integration's last line.
const reports = process.env.PGHERD_TEST_REPORTS;

/** The files by name; those that share a cluster last, after the one that makes it from nothing. */
class ByName extends BaseSequencer {
  override sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) =>
      moduleId.includes("/lab/cluster/") ? (moduleId.includes("/from-nothing.") ? 1 : 2) : 0;
    return Promise.resolve(
      files.toSorted((a, b) => rank(a) - rank(b) || a.moduleId.localeCompare(b.moduleId)),
    );
  }
}

export default defineConfig({
  test: {
    sequence: { sequencer: ByName },
    reporters: reports
      ? ["default", ["json", { outputFile: `${reports}/${process.pid}.json` }]]
      : ["default"],
    root: new URL("..", import.meta.url).pathname,
    globalSetup: ["test/temporary.ts"],
    projects: [
      {
        test: {
          name: "unit",
          root: new URL("..", import.meta.url).pathname,
          include: ["test/**/*.test.ts"],
          exclude: ["test/lab/**"],
          // These take milliseconds; the limit is for machines that others keep busy.
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: "lab",
          globalSetup: ["test/lab/end.ts"],
          root: new URL("..", import.meta.url).pathname,
          include: ["test/lab/**/*.test.ts"],
          testTimeout: 1_200_000,
          hookTimeout: 1_200_000,
        },
      },
    ],
  },
});
