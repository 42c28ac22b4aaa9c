import { expect, test, vi } from "vitest";
import type { Probe } from "../../../src/host/host";
import type { Context } from "../../../src/provider/context";
import { takeover } from "../../../src/migration/provider/takeover";
import type { TakeoverInputs } from "../../../src/migration/inputs/adoption";

const INPUTS: TakeoverInputs = {
  ...{ cluster: "shop", host: "db1", endpoint: "10.89.0.11:8008", port: 5432 },
  ...{ systemIdentifier: "", needed: { wal_level: "replica" } },
};

interface Server {
  /** What the server runs with. */
  walLevel: string;
  /** What Patroni calls it. */
  readonly role?: string;
  /** Whether a restart brings what it waits for. */
  readonly obeys?: boolean;
}

/** Takes the server over. @returns what was changed, and what is known of it then */
async function takenOver(
  server: Server,
  scripts: string[] = [],
): Promise<[changed: string[], found: TakeoverInputs]> {
  const { role = "leader", obeys = true } = server;
  const changed: string[] = [];
  const members = [{ name: "db1", role, state: "running" }];
  const context = {
    ...{ info: () => undefined, progress: () => undefined },
    host: (name: string) => ({
      async observe({ script, parse }: Probe<unknown>): Promise<unknown> {
        if (script.includes("/cluster")) return parse(JSON.stringify({ members }));
        if (script.includes("/patroni")) return parse('{"database_system_identifier": "7517"}');
        return parse(JSON.stringify({ wal_level: server.walLevel }));
      },
      async change(what: string, script: string): Promise<string> {
        scripts.push(script);
        changed.push(`${name} ${what}`);
        if (obeys) server.walLevel = "replica";
        return "";
      },
    }),
  } as unknown as Context;
  const found = await takeover.apply(context, "urn", INPUTS, undefined);
  return [changed, found];
}

test("a server that has all that replicas need is taken over without a restart", async () => {
  const [changed, { systemIdentifier }] = await takenOver({ walLevel: "replica" });
  expect(changed).toEqual([]);
  expect(systemIdentifier).toBe("7517");
});

test("one that lacks something of it restarts once, by Patroni", async () => {
  const [changed] = await takenOver({ walLevel: "minimal" });
  expect(changed).toEqual(["db1 restarting PostgreSQL"]);
});

test("what ALTER SYSTEM has set is taken back before that one restart, and waits for no second", async () => {
  const scripts: string[] = [];
  await takenOver({ walLevel: "minimal" }, scripts);
  expect(scripts).toHaveLength(1);
  const [taken = -1, reloaded = -1, restarted = -1] = [
    "ALTER SYSTEM RESET",
    "pg_reload_conf",
    "/restart",
  ].map((part) => scripts[0]?.indexOf(part));
  expect(taken).toBeGreaterThan(-1);
  expect(reloaded).toBeGreaterThan(taken);
  expect(restarted).toBeGreaterThan(reloaded);
});

test.each<[string, Server, RegExp]>([
  [
    "a restart does not bring what replicas need",
    { walLevel: "minimal", obeys: false },
    /expected the new settings within 120 seconds, got: wal_level/,
  ],
  [
    "Patroni does not come to lead the server",
    { walLevel: "minimal", role: "replica" },
    /expected Patroni to lead the server within 120 seconds, got: db1 replica running/,
  ],
])("it is told where %s", async (_what, server, message) => {
  vi.useFakeTimers({ toFake: ["setTimeout", "Date"] });
  const going = expect(takenOver(server)).rejects.toThrow(message);
  await vi.advanceTimersByTimeAsync(130_000);
  await going;
  vi.useRealTimers();
});
