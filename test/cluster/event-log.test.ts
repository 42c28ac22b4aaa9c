import { expect, test } from "vitest";
import { EventLog } from "../../src/cluster/event-log";

const event = (time: string, text: string) => ({
  at: `2026-11-21T${time}.000Z`,
  severity: "note" as const,
  text,
});

test("what comes again within a quarter of an hour is counted where it stands", () => {
  const log = new EventLog(10);
  const first = log.add(event("12:00:00", "etcd on db1 is not healthy."));
  log.add(event("12:01:00", "db2 leads."));
  const again = log.add(event("12:10:00", "etcd on db1 is not healthy."));
  expect(again).toMatchObject({ id: first.id, count: 2, since: first.at });
  log.add(event("12:20:00", "etcd on db1 is not healthy."));
  expect(log.all().map(({ text, count }) => [text, count])).toEqual([
    ["db2 leads.", undefined],
    ["etcd on db1 is not healthy.", 3],
  ]);
});

test("the same much later is another story", () => {
  const log = new EventLog(10);
  log.add(event("12:00:00", "db2 leads."));
  log.add(event("14:00:00", "db2 leads."));
  expect(log.all().map(({ count }) => count)).toEqual([undefined, undefined]);
});

test("a daemon that comes and goes all day pushes out nothing else", () => {
  const log = new EventLog(5);
  log.add(event("00:00:00", "db2 leads."));
  for (let minute = 0; minute < 24 * 60; minute++) {
    const time = new Date(minute * 60_000).toISOString().slice(11, 19);
    log.add(event(time, `HAProxy on lb1 ${minute % 2 ? "answers" : "does not answer"}.`));
  }
  expect(log.all().map(({ text }) => text)).toContain("db2 leads.");
  expect(log.all().at(-1)?.count).toBe(720);
});

test("what is told of the time before stands there in order, once", () => {
  const log = new EventLog(3);
  log.add(event("12:00:00", "Asked for: restart of db3."));
  const old = event("11:00:00", "db1 takes the lead: timeline 2 begins at 0/5000060");
  expect(log.add(old, true)).toMatchObject({ unwatched: true });
  expect(log.add(old, true).count).toBeUndefined();
  expect(log.all().map(({ at }) => at.slice(11, 13))).toEqual(["11", "12"]);
});
