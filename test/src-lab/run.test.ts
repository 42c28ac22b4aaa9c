import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { buildSync } from "esbuild";
import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { run, tryRun } from "../../src/lab/run";

test("run returns the standard output and passes the input on", async () => {
  expect(await run(["cat"], { input: "hello\n" })).toBe("hello\n");
});

test("run tells the command, its exit code and what it said", async () => {
  await expect(run(["sh", "-c", "echo no luck >&2; exit 3"])).rejects.toThrow(
    /failed with exit code 3\.\n {2}no luck$/,
  );
});

test("tryRun counts a command that takes too long as killed", async () => {
  expect((await tryRun(["sleep", "60"], { timeoutMs: 100 })).code).toBe(128 + 9);
});

describe("runAttached, in a process of its own", () => {
  let folder: string;
  let program: string;

  beforeAll(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), "pgherd-test-"));
    program = path.join(folder, "attached.cjs");
    buildSync({
      stdin: {
        contents:
          'import { runAttached } from "./run"; void runAttached(process.argv.slice(2)).then((code) => (process.exitCode = code));',
        resolveDir: path.resolve("src/lab"),
      },
      outfile: program,
      bundle: true,
      platform: "node",
      format: "cjs",
    });
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test("passes the exit code on", async () => {
    expect((await tryRun([process.execPath, program, "sh", "-c", "exit 7"])).code).toBe(7);
  });

  test.each(["SIGINT", "SIGTERM"] as const)("passes %s on to the command, once", async (signal) => {
    const script = `trap 'echo got it' ${signal.slice(3)}; echo ready; sleep 1 & wait; wait; exit 5`;
    const child = spawn(process.execPath, [program, "sh", "-c", script], { detached: true });
    let output = "";
    child.stdout.on("data", (data: Buffer) => {
      output += data.toString();
      if (output === "ready\n") child.kill(signal);
    });
    expect(await once(child, "exit")).toEqual([5, null]);
    expect(output).toBe("ready\ngot it\n");
  });
});
