import { expect, test } from "vitest";
import type { Probe } from "../../../src/host/host";
import type { Context } from "../../../src/provider/context";
import { beginStandbyAnew } from "../../../src/migration/provider/standby-copies";

const INPUTS = {
  cluster: "shop",
  members: { db1: "10.89.0.11:8008", db2: "10.89.0.12:8008" },
  dcs: { host: "db1", endpoints: ["http://10.89.0.11:2379"] },
};

/** What is done where members are so; a copy that has diverged is set aside when its Patroni starts. */
async function done(
  data: { [member: string]: "diverged" | "empty" | "good" },
  key = "7713542760086830879",
): Promise<string[]> {
  const changed: string[] = [];
  const context = {
    info() {},
    host: (name: string) => ({
      async observe({ script }: Probe<unknown>): Promise<unknown> {
        if (script.includes("/cluster"))
          return {
            paused: false,
            members: Object.keys(data).map((one) => ({
              name: one,
              state: data[one] === "good" ? "streaming" : "stopped",
              role: "replica",
            })),
          };
        if (script.includes("before-patroni look")) return data[name] === "diverged";
        if (script.includes("/v3/kv/range")) return { value: key, revision: "12" };
        if (script.includes("10-member.yml")) return { dataDirectory: "/data", binDirectory: "" };
        return data[name] === "empty";
      },
      async change(what: string, script: string): Promise<string> {
        changed.push(`${name} ${what}`);
        if (script.includes("restart patroni")) data[name] = "empty";
        return "";
      },
    }),
  } as unknown as Context;
  await beginStandbyAnew(context, "urn", INPUTS);
  return changed;
}

test("a cluster of which no first copy has followed begins with a new one", async () => {
  const both = ["db1 beginning the first copy anew", "db2 beginning the first copy anew"];
  expect(await done({ db1: "diverged", db2: "diverged" })).toEqual([
    ...both,
    "db1 beginning with a new copy",
  ]);
  // A run that was killed in between.
  expect(await done({ db1: "empty", db2: "empty" })).toEqual(["db1 beginning with a new copy"]);
});

test("what another member has is copied, and what is being made is left alone", async () => {
  expect(await done({ db1: "good", db2: "empty" })).toEqual([]);
  expect(await done({ db1: "empty", db2: "empty" }, "")).toEqual([]);
});
