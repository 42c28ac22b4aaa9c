import { expect, test } from "vitest";
import type { Probe } from "../../src/host/host";
import type { Context } from "../../src/provider/context";
import { beginCopiesAnew } from "../../src/provider/first-copies";

const MEMBERS = { db1: "10.89.0.11:8008", db2: "10.89.0.12:8008", db3: "10.89.0.13:8008" };

/** Whose Patroni is restarted, where all data looks as if it had diverged. */
async function restarted(states: { readonly [name: string]: string }, paused = false) {
  const done: string[] = [];
  const answer = {
    paused,
    members: Object.entries(states).map(([name, state]) => ({
      name,
      state,
      role: name === "db1" ? "leader" : "replica",
    })),
  };
  const context = {
    info() {},
    host: (name: string) => ({
      observe: async ({ script }: Probe<unknown>) =>
        script.includes("/cluster") ? answer : script.includes("before-patroni look"),
      change: async (_what: string, script: string) => {
        if (script.includes("restart patroni")) done.push(name);
        return "";
      },
    }),
  } as unknown as Context;
  await beginCopiesAnew(context, "urn", { members: MEMBERS });
  return done;
}

test("a first copy that never followed is made anew by the next run, and nobody else's data is", async () => {
  expect(await restarted({ db1: "running", db2: "start failed", db3: "streaming" })).toEqual([
    "db2",
  ]);
});

test("a leader that is down is not asked for its copy", async () => {
  expect(await restarted({ db1: "start failed", db2: "streaming", db3: "streaming" })).toEqual([]);
});

test("nothing is restarted while the cluster is paused", async () => {
  expect(await restarted({ db1: "running", db2: "start failed", db3: "streaming" }, true)).toEqual(
    [],
  );
});
