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
  const read = async (closed: string[], inputs: PatroniClusterInputs, failed: object) => {
    const found = {
      ...{ roles: [role("app")], databases: [], systemIdentifier: "1", members: {} },
      catalog: { roles: [role("app")], databases: [], closed },
    };
    const context = { once: () => Promise.resolve(found) } as unknown as Context;
    const known = { ...left, systemIdentifier: "1", ...failed };
    return patroniCluster.read(context, inputs, known);
  };
  const before = [role("app"), role("report", "drop")];
  expect((await read(["report", "shut"], INPUTS, {}))?.roles).toEqual(before);
  expect((await read(["shut"], INPUTS, {}))?.roles).toEqual([role("app")]);
  // After a failed update the engine hands on the inputs that it had before.
  const found = await read(["report", "shut"], left, { unfinished: true });
  expect(found?.roles).toEqual(before);
  expect(found).toHaveProperty("unfinished", true);
  // Whom somebody on a host has locked out, and whom the stack has, is let in again.
  expect((await read(["report", "shut"], left, {}))?.roles).toEqual([role("app")]);
  expect(await read([], left, { unfinished: true })).not.toHaveProperty("unfinished");
});
