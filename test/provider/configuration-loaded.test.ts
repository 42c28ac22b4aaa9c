import { beforeEach, expect, test, vi } from "vitest";
import type { LoadedFiles } from "../../src/facts/loaded";
import type { ClusterView, MemberStatus } from "../../src/facts/patroni";
import type { RunningSettings } from "../../src/facts/settings";
import { configurationLoaded } from "../../src/provider/configuration-loaded";
import type { Context } from "../../src/provider/context";
import type { PatroniClusterInputs } from "../../src/resources/inputs/patroni-cluster";

const INPUTS = {
  cluster: "demo",
  members: { db1: "10.89.0.11:8008" },
  port: 5432,
  configuration: { postgresql: { parameters: { log_line_prefix: "%m " } } },
} as unknown as PatroniClusterInputs;

const LOADED: LoadedFiles = {
  ...{ errors: [], hba: [], isRead: true, altered: {}, configured: {}, overrides: [] },
  ...{ waiting: { count: 0, seconds: 0 }, synchronousStandbyNames: "" },
};

const VIEW: ClusterView = {
  paused: false,
  members: [{ name: "db1", role: "leader", state: "running", pendingRestart: false }],
};

/** What stands in postgresql.conf. */
let prefix: string | undefined;
let done: string[];

const context = {
  host: () => ({
    observe: ({ script }: { script: string }) => {
      if (script.includes("'started'")) {
        const files = prefix
          ? { log_line_prefix: { value: prefix, file: "postgresql.conf" } }
          : ({} as RunningSettings["files"]);
        const running: RunningSettings = {
          ...{ files, started: {}, pending: [], unchanged: [], inForce: {}, kinds: {} },
        };
        return Promise.resolve(running);
      }
      if (script.includes("'hba'")) return Promise.resolve(LOADED);
      if (script.includes("/cluster")) return Promise.resolve(VIEW);
      const status: MemberStatus = { pendingRestart: false, paused: false, dcsLastSeen: 1 };
      return Promise.resolve(status);
    },
    change: (what: string) => {
      done.push(what);
      prefix = "%m ";
      return Promise.resolve("");
    },
  }),
  progress() {},
} as unknown as Context;

async function loaded(soon: () => void = () => {}): Promise<void> {
  vi.useFakeTimers();
  setTimeout(soon, 5000);
  const waiting = configurationLoaded(context, "urn", INPUTS, INPUTS);
  await vi.advanceTimersByTimeAsync(60_000);
  vi.useRealTimers();
  await waiting;
}

beforeEach(() => {
  prefix = "%m ";
  done = [];
});

test("a line that somebody took out of postgresql.conf Patroni is told to write again", async () => {
  prefix = undefined;
  await loaded();
  expect(done).toEqual(["having Patroni write PostgreSQL's files"]);
});

test("Patroni is told nothing where it writes by itself", async () => {
  prefix = undefined;
  await loaded(() => (prefix = "%m "));
  expect(done).toEqual([]);
});
