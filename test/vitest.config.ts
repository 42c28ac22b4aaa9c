import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    root: new URL("..", import.meta.url).pathname,
    projects: [
      {
        test: {
          name: "unit",
          root: new URL("..", import.meta.url).pathname,
          include: ["test/**/*.test.ts"],
          exclude: ["test/lab/**"],
        },
      },
      {
        test: {
          name: "lab",
          root: new URL("..", import.meta.url).pathname,
          include: ["test/lab/**/*.test.ts"],
          // Every file uses the same two cores and real hosts of its own: one at a time.
          fileParallelism: false,
          testTimeout: 600_000,
          hookTimeout: 1_200_000,
        },
      },
    ],
  },
});
