import { expect, test } from "vitest";
import { drawProbe } from "../../src/probe/picture";
import { placeLabels } from "../../src/probe/labels";
import type { ProbeReport } from "../../src/probe/report";

const ROOM = { from: 0, to: 300, lines: 3 };
const label = (x: number, weight = 1, text = "12.3 s") => ({ text, x, weight });

test("a label stands beside its mark, and before it at the right edge", () => {
  expect(placeLabels([label(10), label(290)], ROOM)).toEqual([
    { left: 14, line: 0 },
    { left: 238, line: 0 },
  ]);
});

test("labels that are near each other stand on lines of their own", () => {
  const places = placeLabels([label(10), label(20), label(26)], ROOM);
  expect(places.map((place) => place?.line)).toEqual([0, 1, 2]);
});

test("where there is no more room the longest interruptions have their labels", () => {
  const places = placeLabels([label(10, 1), label(12, 9), label(14, 5), label(16, 7)], ROOM);
  expect(places.map((place) => place !== undefined)).toEqual([false, true, true, true]);
});

/** Where the drawing has put its labels, by how high a line is and how wide a letter. */
function boxes(svg: string) {
  return [...svg.matchAll(/class="label" x="([\d.-]+)" y="([\d.]+)"[^>]*>([^<]*)</g)].map(
    ([, x, y, text = ""]) => ({
      left: Number(x),
      right: Number(x) + text.length * 7,
      y: Number(y),
    }),
  );
}

test.each([300, 340, 900])("no label covers another in a picture of %d pixels", (width) => {
  const start = Date.parse("2026-11-21T22:00:00.000Z");
  const at = (seconds: number) => new Date(start + seconds * 1000).toISOString();
  const kind = { succeeded: 100, failed: 0 };
  const report: ProbeReport = {
    ...{ since: at(0), until: at(300), writes: kind, reads: kind },
    interruptions: (["writes", "reads"] as const).flatMap((one) =>
      [10, 14, 15, 17, 60, 63, 120, 250, 290, 294, 297].map((from, i) => ({
        ...{ kind: one, from: at(from), ms: 900 + 3000 * (i % 4) },
        to: i === 10 ? undefined : at(from + 1),
      })),
    ),
    seconds: Array.from({ length: 300 }, (_, i) => ({
      ...{ at: start / 1000 + i, writes: 1, writesFailed: 0, reads: 1, readsFailed: 0 },
    })),
  };
  const labels = boxes(drawProbe(report, width));
  expect(labels.length).toBeGreaterThan(4);
  for (const [i, a] of labels.entries()) {
    expect(a.left).toBeGreaterThanOrEqual(0);
    expect(a.right).toBeLessThanOrEqual(width);
    for (const b of labels.slice(i + 1)) {
      const apart = Math.abs(a.y - b.y) >= 13 || a.right <= b.left || b.right <= a.left;
      expect(apart, JSON.stringify([a, b])).toBe(true);
    }
  }
});
