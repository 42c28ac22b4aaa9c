import { afterEach, expect, test, vi } from "vitest";
import { Live, type Message } from "../../src/api/live";
import type { Host } from "../../src/host/host";
import type { OperatorPlan } from "../../src/cluster/cluster";
import type { HistoryEvent } from "../../src/cluster/history";
import { PLAN } from "../operations/answers";

let live: Live;
afterEach(() => live.close());

const cluster = {
  plan: PLAN as OperatorPlan,
  host: () => ({ observe: () => Promise.reject(new Error("away")) }) as unknown as Host,
  progress: () => undefined,
};
const HOUR = 3600_000;
const at = (hours: number) => new Date(Date.now() + hours * HOUR).toISOString();

function liveWith(history: () => Promise<HistoryEvent[]>) {
  live = new Live({
    cluster,
    probeTarget: () => {
      throw new Error("none");
    },
    history: async () => ({ events: await history(), missing: [] }),
  });
}

/** What somebody hears who listens for a moment. */
async function heard(): Promise<string[]> {
  const messages: Message[] = [];
  const end = live.subscribe((message) => messages.push(message));
  await new Promise((resolve) => setTimeout(resolve, 20));
  end();
  return messages.flatMap(({ type, data }) =>
    type === "event" ? `${data.unwatched ? "records" : "seen"}: ${data.text}` : [],
  );
}

test("what happened before the server began is told, but nothing without its time", async () => {
  liveWith(async () => [
    { source: "patroni", text: "a member takes the lead" },
    { at: at(-2), source: "api", text: "127.0.0.1: PUT /api/v1/pause: done" },
    { at: at(-1), source: "patroni", text: "db2 takes the lead" },
    { at: at(1), source: "patroni", text: "not yet" },
  ]);
  expect(await heard()).toEqual([
    "records: 127.0.0.1: PUT /api/v1/pause: done",
    "records: db2 takes the lead",
  ]);
});

test("what happened while nobody listened is told to the next one, and told once", async () => {
  const events: HistoryEvent[] = [{ at: at(-1), source: "patroni", text: "db1 takes the lead" }];
  liveWith(async () => events);
  live.note("Asked for: pause.");
  await heard();
  vi.setSystemTime(Date.now() + HOUR);
  events.push(
    { at: at(-0.5), source: "patroni", text: "db3 takes the lead" },
    { at: at(-0.4), source: "api", text: "127.0.0.1: PUT /api/v1/pause: done" },
  );
  const second = await heard();
  expect(second.filter((text) => text.includes("db1 takes"))).toHaveLength(1);
  expect(second).toContain("records: db3 takes the lead");
  expect(second.filter((text) => text.includes("/pause"))).toEqual([]);
  vi.useRealTimers();
});

test("records that cannot be read keep nobody from the rest", async () => {
  liveWith(() => Promise.reject(new Error("no such file")));
  live.note("Asked for: pause.");
  expect(await heard()).toEqual(["seen: Asked for: pause."]);
});

test("a host that lets in slowly is no news when it has", async () => {
  vi.useFakeTimers();
  try {
    liveWith(async () => []);
    const messages: Message[] = [];
    const servers = [{ entrance: "primary", server: "db1", sessions: 0, status: "UP" }];
    const slow = new Promise((resolve) => setTimeout(() => resolve(servers), 12_000));
    const observe = (name: string) => (name === "lb1" ? slow : Promise.reject(new Error("away")));
    const host = (name: string) => ({ observe: () => observe(name) }) as unknown as Host;
    live.close();
    live = new Live({ cluster: { ...cluster, host }, probeTarget: () => never() });
    live.subscribe((message) => messages.push(message));
    await vi.advanceTimersByTimeAsync(20_000);
    const statuses = messages.filter(({ type }) => type === "status");
    expect(JSON.stringify(statuses.at(-1))).toContain('"host":"lb1","answers":true');
    expect(messages.filter(({ type }) => type === "event")).toEqual([]);
  } finally {
    vi.useRealTimers();
  }
});

function never(): never {
  throw new Error("none");
}
