import { describe, expect, test } from "vitest";
import { CommandError } from "../../src/errors";
import type { ClusterView } from "../../src/facts/patroni";
import type { Context } from "../../src/provider/context";
import { leaderOf } from "../../src/facts/member-state";
import { askPostgres, isUp, viewOf } from "../../src/provider/cluster-view";

const MEMBERS = { db1: "10.89.0.11:8008", db2: "10.89.0.12:8008" };

const member = (name: string, role: string, state: string) => ({
  name,
  role,
  state,
  pendingRestart: false,
});
const VIEW: ClusterView = {
  paused: false,
  members: [member("db1", "leader", "running"), member("db2", "replica", "streaming")],
};

/** What Patroni on each of these hosts answers. */
const view = (answers: { [host: string]: ClusterView | undefined }) =>
  viewOf(
    { host: (name: string) => ({ observe: async () => answers[name] }) } as unknown as Context,
    { members: MEMBERS },
  );

test("the view is that of the member who knows most", async () => {
  const [first] = VIEW.members;
  const young = { paused: false, members: first ? [first] : [] };
  expect(await view({ db1: young, db2: VIEW })).toEqual(VIEW);
});

test("a leader that does not answer for itself leads no more, whatever the DCS still holds", async () => {
  const seen = await view({ db1: undefined, db2: VIEW });
  expect(leaderOf(seen)).toBeUndefined();
  expect(isUp(seen, "db1")).toBe(false);
  expect(isUp(seen, "db2")).toBe(true);
});

test("where nobody answers there is no view", async () => {
  expect(await view({})).toBeUndefined();
});

describe("PostgreSQL that is asked", () => {
  const asked = (exitCode: number | null) =>
    askPostgres(
      {
        host: () => ({
          observe: () =>
            Promise.reject(new CommandError("db2", "looking", exitCode, "psql: error")),
        }),
      } as unknown as Context,
      "db2",
      { script: "psql", parse: (text) => text },
    );

  test("is no failure while it takes no connections, as where Patroni has just stopped it", async () => {
    expect(await asked(2)).toBeUndefined();
  });

  test.each([1, 3, null])("fails as psql does with exit code %s", async (exitCode) => {
    await expect(asked(exitCode)).rejects.toThrow("db2: looking");
  });
});
