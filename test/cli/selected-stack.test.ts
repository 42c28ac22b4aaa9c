import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { selectedStack } from "../../src/cli/selected-stack";

let folder = "";

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "selected-")));
  const project = "name: shop\nplugins:\n  providers:\n    - name: pgherd\n      path: x\n";
  writeFileSync(join(folder, "Pulumi.yaml"), project);
  mkdirSync(join(folder, "stacks"));
  mkdirSync(join(folder, "home/workspaces"), { recursive: true });
  vi.spyOn(process, "cwd").mockReturnValue(join(folder, "stacks"));
  vi.stubEnv("PULUMI_HOME", join(folder, "home"));
  vi.stubEnv("PULUMI_STACK", "");
  vi.stubEnv("PGHERD_LAB", "");
});

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

function stack(name: string): void {
  writeFileSync(join(folder, "stacks", `Pulumi.${name}.yaml`), "config: {}\n");
}

function select(name: string): void {
  const key = createHash("sha1").update(join(folder, "Pulumi.yaml")).digest("hex");
  const file = join(folder, "home/workspaces", `shop-${key}-workspace.json`);
  writeFileSync(file, JSON.stringify({ stack: `organization/shop/${name}` }));
}

test("the stack that Pulumi has selected is the one that verbs are for", () => {
  ["one", "two"].forEach(stack);
  select("two");
  expect(selectedStack()).toBe("two");
  vi.stubEnv("PULUMI_STACK", "one");
  expect(selectedStack()).toBe("one");
});

test("an only stack need not be named, and examples are none", () => {
  ["example", "orders"].forEach(stack);
  expect(selectedStack()).toBe("orders");
});

test("where it is not known which stack is meant, it has to be said", () => {
  ["one", "two"].forEach(stack);
  expect(selectedStack).toThrow("--stack: expected the name of one of one, two, because");
});

test("inside a lab it is the lab's", () => {
  ["one", "two"].forEach(stack);
  vi.stubEnv("PGHERD_LAB", "demo");
  expect(selectedStack()).toBe("lab");
});
