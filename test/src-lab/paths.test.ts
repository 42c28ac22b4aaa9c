import { describe, expect, test } from "vitest";
import { labEnvironment } from "../../src/lab/exec";
import { cacheDir, labPaths } from "../../src/lab/paths";

const HOME = { HOME: "/home/ada" };

test("the cache is where PGHERD_CACHE, else XDG_CACHE_HOME, else HOME says", () => {
  expect(cacheDir({ ...HOME, PGHERD_CACHE: "/a", XDG_CACHE_HOME: "/b" })).toBe("/a");
  expect(cacheDir({ ...HOME, XDG_CACHE_HOME: "/b" })).toBe("/b/pgherd");
  expect(cacheDir(HOME)).toBe("/home/ada/.cache/pgherd");
});

describe("a lab's paths", () => {
  test("lie in the user's state folder", () => {
    expect(labPaths("lab", HOME).state).toBe("/home/ada/.local/state/pgherd/labs/lab/state.json");
    expect(labPaths("lab", { XDG_STATE_HOME: "/s" }).dir).toBe("/s/pgherd/labs/lab");
  });

  test.each(["", "..", "a/b", "Lab", "-x", "x".repeat(32)])('refuse the name "%s"', (name) => {
    expect(() => labPaths(name, HOME)).toThrow(/^lab name: expected 1 to 31 lower-case letters/);
  });
});

describe("the environment of commands in a lab", () => {
  const paths = labPaths("lab", HOME);

  test("has the toolchain first, the lab's SSH config and a Pulumi backend of the lab's own", () => {
    expect(labEnvironment("lab", paths, { ...HOME, PATH: "/usr/bin" })).toMatchObject({
      PATH: "/home/ada/.cache/pgherd/bin:/usr/bin",
      PGHERD_LAB: "lab",
      PGHERD_SSH_CONFIG: `${paths.dir}/ssh_config`,
      PULUMI_BACKEND_URL: `file://${paths.dir}/pulumi`,
      PULUMI_SKIP_UPDATE_CHECK: "true",
    });
  });

  test("keeps the backend and the passphrase that the user has set", () => {
    const env = labEnvironment("lab", paths, {
      ...HOME,
      PULUMI_BACKEND_URL: "s3://states",
      PULUMI_CONFIG_PASSPHRASE_FILE: "/secret",
    });
    expect(env["PULUMI_BACKEND_URL"]).toBe("s3://states");
    expect(env).not.toHaveProperty("PULUMI_CONFIG_PASSPHRASE");
  });
});
