import { expect, test } from "vitest";
import type { Context } from "../../src/provider/context";
import { patroniCluster } from "../../src/provider/patroni-cluster";
import type { PatroniClusterInputs } from "../../src/resources/inputs/patroni-cluster";

const role = (name: string, onRemoval?: "drop") => ({
  ...{ name, createdb: false, createrole: false, connectionLimit: -1 },
  ...(onRemoval && { onRemoval }),
});
const INPUTS = {
  ...{ cluster: "demo", members: {}, port: 5432, configuration: {}, databases: [], passwords: {} },
  roles: [role("app")],
} as unknown as PatroniClusterInputs;

test("a user who could not be dropped is in mind until he is, although his login is closed", async () => {
  // The last run has closed both logins, and could drop nobody.
  const left = { ...INPUTS, roles: [role("app"), role("report", "drop"), role("shut")] };
  const roles = async (closed: string[]) => {
    const found = {
      ...{ roles: [role("app")], databases: [], systemIdentifier: "1", members: {} },
      catalog: { roles: [role("app")], databases: [], closed },
    };
    const context = { once: () => Promise.resolve(found) } as unknown as Context;
    const known = { ...left, systemIdentifier: "1" };
    return (await patroniCluster.read(context, INPUTS, known))?.roles;
  };
  expect(await roles(["report", "shut"])).toEqual([role("app"), role("report", "drop")]);
  expect(await roles(["shut"])).toEqual([role("app")]);
});
