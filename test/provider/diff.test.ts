import { expect, test } from "vitest";
import { difference, withVisible } from "../../src/provider/diff";

const file = (mode: string, content: string) => ({ mode, content, owner: "root", group: "root" });
const DERIVED = ["configuration", "filesHash"];
const changed = (state: object, inputs: object) =>
  Object.keys(
    withVisible(difference(state as never, inputs as never, ["cluster"]), inputs as never, DERIVED)
      .changes,
  );

test("what is derived from other resources is hidden behind the resource's name", () => {
  const before = { cluster: "demo", filesHash: "a", configuration: { ttl: 30 }, roles: [] };
  const after = { ...before, filesHash: "b", configuration: { ttl: 20 } };
  expect(changed(before, after)).toEqual(["filesHash", "configuration.ttl", "cluster"]);
  expect(changed(before, { ...after, roles: ["app"] })).not.toContain("cluster");
  expect(changed(before, before)).toEqual([]);
});

test("so is a program of pgherd's own, and no configuration is", () => {
  const files = { "/var/lib/x": file("0755", "a"), "/etc/x.cfg": file("0644", "a") };
  const before = { cluster: "demo", files };
  const program = { ...files, "/var/lib/x": file("0755", "b") };
  expect(changed(before, { ...before, files: program })).toContain("cluster");
  const text = { ...program, "/etc/x.cfg": file("0644", "b") };
  expect(changed(before, { ...before, files: text })).not.toContain("cluster");
});
