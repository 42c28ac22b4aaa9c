import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { packageRoot } from "../src/package-root";

/** What a program prints that begins as Pulumi.yaml says. */
function printed(program: string): unknown {
  const args = ["--require", "./bin/later.cjs", "-e", program];
  return JSON.parse(execFileSync(process.execPath, args, { cwd: packageRoot(), encoding: "utf8" }));
}

test("a program starts without what Pulumi's SDK needs for functions in a cloud alone", () => {
  const loaded = printed(`require("@pulumi/pulumi");
    console.log(JSON.stringify(Object.keys(require.cache)))`) as string[];
  expect(loaded.length).toBeGreaterThan(100);
  expect(
    loaded.filter((file) => /node_modules\/(typescript|@npmcli\/arborist)\//.test(file)),
  ).toEqual([]);
});

test("it is loaded for a program that uses it", () => {
  const text = printed(`const { runtime } = require("@pulumi/pulumi");
    const two = 2;
    runtime.serializeFunction(() => two).then(({ text }) => console.log(JSON.stringify(text)))`);
  expect(text).toContain("two");
});
