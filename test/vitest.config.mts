import { defineConfig } from "vitest/config";

// Where the results also go as JSON, for the continuous integration's last line.
const report = process.env.PGHERD_TEST_REPORT;

export default defineConfig({
  test: {
    reporters: report ? ["default", ["json", { outputFile: report }]] : ["default"],
    root: new URL("..", import.meta.url).pathname,
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
          // Every file uses the same two cores and real hosts of its own: one at a time.
          fileParallelism: false,
          testTimeout: 1_200_000,
          hookTimeout: 1_200_000,
        },
      },
    ],
  },
});
