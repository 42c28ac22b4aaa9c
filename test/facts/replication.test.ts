import { expect, test } from "vitest";
import { streamsProbe } from "../../src/facts/replication";

const { parse } = streamsProbe(5432);

test("those who stream are told with what they have not replayed yet", () => {
  const output = `{"timeline":2,"standbys":[{"name":"db2","state":"streaming","syncState":"sync","lagBytes":0,"lagSeconds":0}, {"name":"db3","state":"streaming","syncState":"async","lagBytes":16384}]}\n`;
  expect(parse(output)).toEqual({
    timeline: 2,
    standbys: [
      { name: "db2", state: "streaming", syncState: "sync", lagBytes: 0, lagSeconds: 0 },
      { name: "db3", state: "streaming", syncState: "async", lagBytes: 16384 },
    ],
  });
});

test("a server that does not answer says nothing about anybody", () => {
  expect(parse("")).toBeUndefined();
  expect(parse(`{"standbys":[]}`)).toEqual({ standbys: [] });
});
