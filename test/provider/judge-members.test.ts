import { beforeEach, expect, test } from "vitest";
import { ConnectError } from "../../src/errors";
import { Context } from "../../src/provider/context";
import { updateReport } from "../../src/provider/update-report";
import type { UpdateReportInputs } from "../../src/resources/inputs/patroni-cluster";

let away: string[];
/** Members whose leases in the DCS have ended. */
let lapsed: string[];
let forks: { [host: string]: { name: string }[] };

beforeEach(() => {
  [away, lapsed] = [[], []];
  forks = {};
});

class PlayedHost {
  constructor(readonly name: string) {}

  observe({ script }: { readonly script: string }): Promise<unknown> {
    if (away.includes(this.name))
      return Promise.reject(new ConnectError(this.name, "nobody answers.\nSecond line."));
    if (script.includes("/cluster"))
      return Promise.resolve({
        paused: false,
        members: ["db1", "db2", "db3"]
          .filter((name) => !lapsed.includes(name))
          .map((name) => ({
            name,
            role: name === "db1" ? "leader" : "replica",
            ...{ state: name === "db1" ? "running" : "streaming", lagBytes: 0 },
          })),
      });
    if (script.includes("/forks")) return Promise.resolve(forks[this.name] ?? []);
    return Promise.resolve({ dataDirectory: "/var/lib/postgresql/17/main" });
  }
}

function report(...members: string[]): UpdateReportInputs {
  const endpoints = members.map((name) => [name, `10.89.0.1${name.slice(2)}:8008`]);
  return {
    ...{ cluster: "demo", members: Object.fromEntries(endpoints), port: 5432, configuration: {} },
    ...{ neverLead: [], rolling: { maximumLag: 1000 } },
  } as unknown as UpdateReportInputs;
}

async function reasons(
  now: UpdateReportInputs,
  before: UpdateReportInputs,
  removed: string[] = [],
): Promise<string[]> {
  const silent = { progress() {}, info: async () => {}, warning() {} };
  const nothing = { hosts: {}, ssh: {} } as never;
  const context = new Context(nothing, silent, [], PlayedHost as never, removed);
  const found = await updateReport.check?.(context, now, before, "urn");
  return (found ?? []).map(({ reason }) => reason);
}

const three = report("db1", "db2", "db3");

test("a member may leave, and one may come, where nothing speaks against it", async () => {
  expect(await reasons(report("db1", "db2"), three)).toEqual([]);
  expect(await reasons(three, report("db1", "db2"))).toEqual([]);
  expect(await reasons(three, three)).toEqual([]);
});

test("one out of reach leaves only where the stack says that it is gone for good", async () => {
  away = ["db3"];
  expect(await reasons(report("db1", "db2"), three)).toEqual([
    "db3: expected to be reached, so that it leaves the cluster in order, got: db3: nobody answers. " +
      "Out of reach is not gone: it may run where only this machine does not come. Bring it back; or, if it is gone for good, say so: " +
      "pgherd:cluster.removed: [db3] (docs/members.md).",
  ]);
  expect(await reasons(report("db1", "db2"), three, ["db3"])).toEqual([
    expect.stringContaining("it holds its lease in the DCS, so it runs"),
  ]);
  lapsed = ["db3"];
  expect(await reasons(report("db1", "db2"), three, ["db3"])).toEqual([]);
});

test("a fork on the host of who leaves is removed before", async () => {
  forks.db3 = [{ name: "try" }];
  expect(await reasons(report("db1", "db2"), three)).toEqual([
    "db3: expected no fork on the host of a member that leaves, found try. Remove it first (pgherd fork drop, or out of pgherd:cluster.forks).",
  ]);
});
