import { expect, test, vi } from "vitest";
import type { Probe } from "../../src/host/host";
import type { Context } from "../../src/provider/context";
import { dynamicConfiguration } from "../../src/provider/dynamic-configuration";

/** A key that is set, and to what. */
const PUT = /"requestPut":\{"key":"([^"]*)","value":"([^"]*)"/g;
const PROVEN = Buffer.from("/service/demo/pgherd-proven-config").toString("base64");

type Settings = { readonly [name: string]: string };

const MEMBERS = { db1: "10.89.0.11:8008", db2: "10.89.0.12:8008" };
const OLD = configuration({ work_mem: "4MB", timezone_abbreviations: "Default" });

function configuration(parameters: Settings) {
  return { ttl: 30, postgresql: { parameters } };
}

const inputs = (parameters: Settings) => ({
  cluster: "demo",
  host: "db1",
  endpoints: ["http://10.89.0.11:2379"],
  configuration: configuration(parameters),
  members: MEMBERS,
  port: 5432,
});

/** A cluster whose members follow the DCS at their next look, and what it holds. One value is good on db1 alone. */
function running(
  held: object | undefined,
  up: readonly string[] = ["db1", "db2"],
  { proven = undefined as object | undefined, started = {} as Settings } = {},
) {
  const cluster = { held, proven, revision: 1, writes: 0, looks: 0 };
  const parameters = () =>
    (cluster.held as { postgresql?: { parameters: Settings } }).postgresql?.parameters ?? {};
  const answer = (host: string, script: string): unknown => {
    if (script.includes("/v3/kv/range") && !script.includes("/v3/kv/txn")) {
      const value = script.includes(PROVEN) ? cluster.proven : cluster.held;
      return value && { value: JSON.stringify(value), revision: `${cluster.revision}` };
    }
    if (script.includes("/cluster"))
      return {
        paused: false,
        members: up.map((name) => ({ name, role: "replica", state: "streaming" })),
      };
    if (script.includes("dbname=postgres options")) {
      const { session_preload_libraries: library } = parameters();
      return library === "nosuch" && host === "db2" ? 'could not access file "nosuch"' : undefined;
    }
    if (script.includes("/patroni")) {
      const blind = host === "db2" && parameters().work_mem === "13MB";
      return { dcsLastSeen: cluster.looks++, state: blind ? "unknown" : "running" };
    }
    if (script.includes("'kinds'")) {
      const files = Object.entries(parameters()).map(([name, value]) => [
        name,
        { value, file: "postgresql.conf" },
      ]);
      return { files: Object.fromEntries(files), started, pending: [], unchanged: [], kinds: {} };
    }
    const refused = host === "db2" && parameters().timezone_abbreviations === "Office";
    const error = {
      ...{ file: "postgresql.conf", line: 12, name: "timezone_abbreviations" },
      error: "setting could not be applied",
    };
    return { errors: refused ? [error] : [] };
  };
  const context = {
    progress() {},
    host: (name: string) => ({
      observe: async ({ script }: Probe<unknown>) => answer(name, script),
      async change(_what: string, script: string) {
        if (script.includes("requestDeleteRange")) {
          cluster.proven = undefined;
          return "";
        }
        for (const [, key = "", text = ""] of script.matchAll(PUT)) {
          const value = JSON.parse(Buffer.from(text, "base64").toString()) as object;
          cluster[key === PROVEN ? "proven" : "held"] = value;
        }
        cluster.revision++;
        cluster.writes++;
        return "";
      },
    }),
  } as unknown as Context;
  return { cluster, context };
}

const apply = (context: Context, parameters: Settings) =>
  dynamicConfiguration.apply(context, "urn", inputs(parameters));

test("what a member's server does not load ends the run by name, and the old configuration is back", async () => {
  const { cluster, context } = running({ ...OLD, pause: true });
  const wanted = { work_mem: "8MB", timezone_abbreviations: "Office" };
  await expect(apply(context, wanted)).rejects.toThrow(
    "db2: PostgreSQL does not load postgresql.conf, line 12: timezone_abbreviations: setting could not be applied\n" +
      "The settings that were there before are back on all members.",
  );
  // What is switched while the cluster runs stays as it is.
  expect(cluster.held).toEqual({ ...OLD, pause: true });
  expect(cluster.proven).toBeUndefined();
});

test("libraries with which a member that runs lets nobody in are not left in the DCS", async () => {
  const { cluster, context } = running(OLD);
  const wanted = { ...OLD.postgresql.parameters, session_preload_libraries: "nosuch" };
  await expect(apply(context, wanted)).rejects.toThrow(
    'db2: PostgreSQL lets nobody in: could not access file "nosuch"\n' +
      "The settings that were there before are back on all members.",
  );
  expect(cluster.held).toEqual(OLD);
  const good = { ...OLD.postgresql.parameters, session_preload_libraries: "auto_explain" };
  await apply(context, good);
  expect(cluster.held).toEqual(configuration(good));
});

test("settings with which a member's Patroni can no longer ask its server are put back, whatever they are", async () => {
  vi.useFakeTimers();
  try {
    const { cluster, context } = running(OLD);
    const refused = expect(
      apply(context, { ...OLD.postgresql.parameters, work_mem: "13MB" }),
    ).rejects.toThrow(
      "db2: Patroni can no longer ask PostgreSQL, since its sessions have work_mem too\n" +
        "The settings that were there before are back on all members.",
    );
    await vi.advanceTimersByTimeAsync(60_000);
    await refused;
    expect(cluster.held).toEqual(OLD);
  } finally {
    vi.useRealTimers();
  }
});

test("what all have loaded is proven, and what waits for a restart is not yet", async () => {
  const loaded = running(OLD);
  await apply(loaded.context, { work_mem: "8MB", timezone_abbreviations: "Default" });
  expect(loaded.cluster.proven).toBeUndefined();
  const waiting = running(OLD, ["db1", "db2"], { started: { max_connections: "100" } });
  await apply(waiting.context, { ...OLD.postgresql.parameters, max_connections: "150" });
  expect(waiting.cluster.proven).toEqual(OLD);
});

test("what has left the stack is proven only once no file has it any more", async () => {
  const { cluster, context } = running(OLD);
  await apply(context, { work_mem: "4MB" });
  expect(cluster.proven).toEqual(OLD);
});

test("what a killed run has left is not what a refused value makes room for", async () => {
  const left = configuration({ work_mem: "4MB", timezone_abbreviations: "Offic" });
  const { cluster, context } = running(left, ["db1", "db2"], { proven: OLD });
  const wanted = { work_mem: "8MB", timezone_abbreviations: "Office" };
  await expect(apply(context, wanted)).rejects.toThrow("The settings that were there before");
  expect(cluster.held).toEqual(OLD);
  // A member may have restarted with what that run wrote.
  expect(cluster.proven).toEqual(OLD);
});

test("what they load stays", async () => {
  const { cluster, context } = running(OLD);
  await apply(context, { work_mem: "8MB", timezone_abbreviations: "Default" });
  expect(cluster).toMatchObject({
    held: configuration({ work_mem: "8MB", timezone_abbreviations: "Default" }),
    writes: 1,
  });
});

test("what a member does not load that was there before is not this change's fault", async () => {
  const { cluster, context } = running(
    configuration({ work_mem: "4MB", timezone_abbreviations: "Office" }),
  );
  await apply(context, { work_mem: "8MB", timezone_abbreviations: "Office" });
  expect(cluster.writes).toBe(1);
});

test("a member that does not run is not waited for, nor anybody where nothing is there yet", async () => {
  const wanted = { timezone_abbreviations: "Office" };
  const down = running(OLD, ["db1"]);
  await apply(down.context, wanted);
  expect(down.cluster.held).toEqual(configuration(wanted));
  const fresh = running(undefined, []);
  await apply(fresh.context, wanted);
  expect(fresh.cluster.held).toEqual(configuration(wanted));
});
