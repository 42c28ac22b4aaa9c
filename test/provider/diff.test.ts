import { expect, test } from "vitest";
import { difference, shown } from "../../src/provider/diff";

const file = (mode: string, content: string) => ({ mode, content, owner: "root", group: "root" });
const DERIVED = ["configuration", "filesHash"];
const changed = (state: object, inputs: object) =>
  Object.keys(
    shown(difference(state as never, inputs as never, ["cluster"]), inputs as never, DERIVED)
      .changes,
  );

test("what follows from other resources is out of sight, and the cluster's name stands for it", () => {
  const before = { cluster: "demo", filesHash: "a", configuration: { ttl: 30 }, roles: [] };
  const after = { ...before, filesHash: "b", configuration: { ttl: 20 } };
  expect(changed(before, after)).toEqual(["cluster"]);
  expect(changed(before, { ...after, roles: ["app"] })).toEqual(["roles"]);
  expect(changed(before, before)).toEqual([]);
});

test("a new program of pgherd's own is named, a new configuration is shown", () => {
  const before = { cluster: "demo", files: {} };
  const files = { "/var/lib/x": file("0755", "a"), "/etc/x.cfg": file("0644", "a") };
  expect(changed(before, { ...before, files })).toEqual([
    'files["/var/lib/x"].mode',
    'files["/etc/x.cfg"]',
  ]);
});
