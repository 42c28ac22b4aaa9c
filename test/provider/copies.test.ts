import { expect, test } from "vitest";
import { describeCopies } from "../../src/provider/copies";

const MEMBERS = { db2: "10.89.0.12:8008", db3: "[fd00::13]:8008" };

test("copies are told by the member that makes them, in percent", () => {
  const copies = [
    { address: "fd00::13", percent: 7 },
    { address: "10.89.0.12", percent: 41 },
  ];
  expect(describeCopies(copies, MEMBERS)).toBe("copying the data: db2 41 %, db3 7 %");
});

test("a copy that only begins, or that somebody else makes, is told too", () => {
  expect(describeCopies([{ address: "10.89.0.12" }], MEMBERS)).toBe("copying the data: db2 begins");
  expect(describeCopies([{ address: "10.0.0.1", percent: 3 }], MEMBERS)).toBe(
    "copying the data: 10.0.0.1 3 %",
  );
  expect(describeCopies([], MEMBERS)).toBe("");
});
