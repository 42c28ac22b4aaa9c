import { expect, test } from "vitest";
import { floorOf } from "../../bench/floors";

const secret = {
  "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
  plaintext: '"word"',
};

test("the floor has a resource for each of the stack's, with the same inputs and order", () => {
  const floor = floorOf([
    { urn: "stack", type: "pulumi:pulumi:Stack", custom: false },
    { urn: "hosts", type: "pulumi:providers:pgherd", custom: true },
    { urn: "cluster", type: "pgherd:component:Cluster", custom: false, parent: "stack" },
    {
      urn: "db1",
      type: "pgherd:index:HostBase",
      custom: true,
      parent: "cluster",
      dependencies: ["hosts"],
      inputs: { host: "db1", __defaults: [] },
    },
    {
      urn: "etcd",
      type: "pgherd:index:Service",
      custom: true,
      parent: "cluster",
      dependencies: ["db1"],
      inputs: { files: { "/etc/secret": { content: secret, mode: "0600" } } },
    },
  ]);
  expect(floor).toEqual([
    { name: "cluster", custom: false, parent: undefined, dependsOn: [], inputs: {}, secrets: [] },
    {
      name: "db1",
      custom: true,
      parent: "cluster",
      dependsOn: [],
      inputs: { host: "db1" },
      secrets: [],
    },
    {
      name: "etcd",
      custom: true,
      parent: "cluster",
      dependsOn: ["db1"],
      inputs: { files: { "/etc/secret": { content: "word", mode: "0600" } } },
      secrets: ["files"],
    },
  ]);
});
