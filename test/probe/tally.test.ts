import { expect, test } from "vitest";
import { drawProbe, strip, told } from "../../src/probe/picture";
import { addressesOf } from "../../src/probe/probe";
import { duration } from "../../src/probe/report";
import { Tally } from "../../src/probe/tally";

const START = Date.parse("2026-11-21T22:00:00.000Z");

/** A probe that writes every 100 ms, but for failures from 2.05 s on, until 4.3 s; then another member answers. */
function interrupted(): Tally {
  const tally = new Tally(START);
  for (let ms = 100; ms <= 6000; ms += 100) {
    const at = START + ms;
    if (ms > 2000 && ms < 4300) tally.add({ kind: "writes", at, ms: 5, error: "cut off" });
    else tally.add({ kind: "writes", at, ms: ms / 100, member: ms <= 2000 ? "db1" : "db2" });
  }
  return tally;
}

test("an interruption is the time from the last success to the next, with who answered", () => {
  const { writes, interruptions } = interrupted().report(START + 6050);
  expect(writes).toMatchObject({ succeeded: 38, failed: 22 });
  expect(interruptions).toEqual([
    {
      kind: "writes",
      from: "2026-11-21T22:00:02.000Z",
      to: "2026-11-21T22:00:04.300Z",
      ms: 2300,
      before: "db1",
      after: "db2",
      error: "cut off",
    },
  ]);
});

test("a commit that was waited for is one too, if it took a second; a shorter pause is none", () => {
  const tally = new Tally(START);
  tally.add({ kind: "writes", at: START + 900, ms: 900 });
  tally.add({ kind: "writes", at: START + 1900, ms: 1000 });
  expect(tally.report(START + 2000).interruptions.map(({ ms }) => ms)).toEqual([1000]);
});

test("one that lasts has no end yet", () => {
  const tally = new Tally(START);
  tally.add({ kind: "reads", at: START + 100, ms: 5, member: "db3" });
  tally.add({ kind: "reads", at: START + 150, ms: 5, error: "no route" });
  const [open] = tally.report(START + 400).interruptions;
  expect(open).toMatchObject({
    kind: "reads",
    to: undefined,
    ms: 300,
    before: "db3",
    error: "no route",
  });
});

test("every second is counted, those with nothing too", () => {
  const { seconds } = interrupted().report(START + 6050);
  expect(seconds.map(({ writes }) => writes)).toEqual([9, 10, 1, 0, 7, 10, 1]);
  expect(seconds.map(({ writesFailed }) => writesFailed)).toEqual([0, 0, 9, 10, 3, 0, 0]);
});

test("only the latest seconds are kept where that is asked", () => {
  const tally = new Tally(START, 3);
  for (let second = 0; second < 10; second++) {
    tally.add({ kind: "writes", at: START + second * 1000 + 10, ms: 1 });
  }
  expect(tally.report(START + 9500).seconds.map(({ at }) => at - START / 1000)).toEqual([7, 8, 9]);
});

test("latencies are told by percentiles, in milliseconds", () => {
  const tally = new Tally(START);
  for (let i = 1; i <= 100; i++) tally.add({ kind: "writes", at: START + i, ms: i });
  const { latencyMs } = tally.report(START + 200).writes;
  expect(latencyMs?.p50).toBeCloseTo(50, 0);
  expect(latencyMs?.p99).toBeCloseTo(99, 0);
  expect(latencyMs?.max).toBeCloseTo(100, 0);
});

test("the picture shades each interruption and says how long it was", () => {
  const drawing = drawProbe(interrupted().report(START + 6050));
  expect(drawing).toContain('<rect class="away"');
  expect(drawing).toContain(">2.3 s</text>");
  expect(drawing).toContain("Writes: 38 succeeded, 22 failed, longest interruption 2.3 s.");
  expect(drawing).not.toContain("NaN");
});

test("a picture of nothing has nothing in it", () => {
  const report = new Tally(START).report(START + 500);
  expect(told(report)).toContain("Writes: 0 succeeded, 0 failed, no interruption.");
  expect(drawProbe(report)).not.toContain("NaN");
});

test("a terminal gets a block for each second, and a cross where nothing went through", () => {
  expect(strip(interrupted().report(START + 6050), "writes", 72)).toBe("██▁×▆█▁");
});

test("all addresses of a URI are known", () => {
  expect(addressesOf("postgresql://10.89.0.100:5000/")).toEqual([
    { host: "10.89.0.100", port: 5000 },
  ]);
  expect(
    addressesOf("postgresql://10.0.0.1:5432,[fd00::1]:5432/?target_session_attrs=any"),
  ).toEqual([
    { host: "10.0.0.1", port: 5432 },
    { host: "fd00::1", port: 5432 },
  ]);
});

test.each([
  [340, "340 ms"],
  [2345, "2.3 s"],
  [250_000, "4 min 10 s"],
])("%i ms are told as %s", (ms, text) => {
  expect(duration(ms)).toBe(text);
});
