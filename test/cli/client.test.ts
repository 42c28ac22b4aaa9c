import { expect, test } from "vitest";
import { clientOf, likelyClient } from "../../src/cli/client";
import type { Settings } from "../../src/config/schema";

const settings = (users: string[], databases: { name: string; owner: string }[]) =>
  ({
    cluster: { postgresql: { users: users.map((name) => ({ name })), databases } },
  }) as unknown as Settings;
const STACK = settings(
  ["admin", "shop", "stats"],
  [
    { name: "shop", owner: "shop" },
    { name: "figures", owner: "stats" },
  ],
);

test.each([
  [{}, { user: "shop", database: "shop" }],
  [{ database: "figures" }, { user: "stats", database: "figures" }],
  [{ database: "another" }, { user: "shop", database: "another" }],
  [{ user: "admin" }, { user: "admin", database: "shop" }],
])(
  "every verb connects as the owner of the database, unless another user is said: %j",
  (said, expected) => {
    expect(clientOf(STACK, said)).toEqual(expected);
  },
);

test("a stack without databases is entered as its first user, and one without users only by name", () => {
  expect(clientOf(settings(["admin"], []))).toEqual({ user: "admin", database: "postgres" });
  expect(() => clientOf(settings([], []))).toThrow("Say -U USER");
  expect(likelyClient(settings([], []))).toEqual({ user: undefined, database: "postgres" });
});
