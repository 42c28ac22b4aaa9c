import { defineConfig } from "vitest/config";

// A folder where the results also go as JSON, a file each run, for the continuous integration's last line.
const reports = process.env.PGHERD_TEST_REPORTS;

export default defineConfig({
  test: {
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
          root: new URL("..", import.meta.url).pathname,
          include: ["test/lab/**/*.test.ts"],
          testTimeout: 1_200_000,
          hookTimeout: 1_200_000,
        },
      },
    ],
  },
});
