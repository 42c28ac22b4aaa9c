import { expect, test } from "vitest";
import { difference, shown } from "../../src/provider/diff";
import { UNKNOWN } from "../../src/rpc/values";

const file = (mode: string, content: string) => ({ mode, content, owner: "root", group: "root" });
const DERIVED = ["configuration", "filesHash"];
const changed = (state: object, inputs: object) =>
  Object.keys(shown(difference(state as never, inputs as never, ["cluster"]), DERIVED).changes);

test("what follows from other resources is out of sight, and the cluster's name stands for it", () => {
  const before = { cluster: "demo", filesHash: "a", configuration: { ttl: 30 }, roles: [] };
  const after = { ...before, filesHash: "b", configuration: { ttl: 20 } };
  expect(changed(before, after)).toEqual(["cluster"]);
  expect(changed(before, { ...after, roles: ["app"] })).toEqual(["roles[0]"]);
  expect(changed(before, before)).toEqual([]);
});

test("what comes into a list or goes out of it is shown, and nothing that only has another number", () => {
  const packages = (...names: string[]) => ({ cluster: "demo", packages: names });
  const change = (old: object, wanted: object) =>
    difference(old as never, wanted as never, ["cluster"]).changes;
  expect(change(packages("curl", "patroni"), packages("curl", "barman", "patroni"))).toEqual({
    "packages[1]": "add",
  });
  expect(change(packages("curl", "nftables", "rsync"), packages("nftables", "barman"))).toEqual({
    "packages[0]": "delete",
    "packages[2]": "delete",
    "packages[1]": "add",
  });
  expect(change(packages("a", "b"), packages("a", "c"))).toEqual({ "packages[1]": "update" });
  expect(change(packages("a", "b"), packages("b", "a"))).toEqual({ packages: "update" });
  expect(change(packages("a", "a"), packages("a"))).toEqual({ "packages[1]": "delete" });
});

test("a file whose content is not known yet leaves the others out of sight", () => {
  const known = { "/etc/a": file("0644", "a"), "/etc/secret": file("0600", "old") };
  const files = { ...known, "/etc/secret": file("0600", UNKNOWN) };
  expect(changed({ cluster: "demo", files: known }, { cluster: "demo", files })).toEqual([
    'files["/etc/secret"].content',
  ]);
});
