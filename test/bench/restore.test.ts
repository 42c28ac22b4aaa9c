import { expect, test } from "vitest";
import { renderRestore } from "../../bench/restore";

test("the rate of a restore is that of its median round", () => {
  const text = renderRestore({
    size: 1e9,
    copies: [{ name: "plain copy", seconds: [2, 100, 4] }],
    whole: 30,
  });
  expect(text).toMatch(/plain copy +250 +4\.0/);
  expect(text).toContain("A whole pgherd restore of these 1000 MB: 30 s");
});
