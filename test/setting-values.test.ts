import { describe, expect, test } from "vitest";
import { numberOf, sameSetting, unitsOf, type SettingKind } from "../src/setting-values";

const PAGES: SettingKind = { type: "integer", unit: "8kB" };
const MS: SettingKind = { type: "real", unit: "ms" };
const COUNT: SettingKind = { type: "integer" };

describe("a text is the number that PostgreSQL reads in it:", () => {
  test.each<[string, SettingKind, number | undefined]>([
    ["128MB", PAGES, 16384],
    [" 128 MB ", PAGES, 16384],
    ["1GB", { type: "integer", unit: "MB" }, 1024],
    ["0.5GB", { type: "integer", unit: "MB" }, 512],
    ["16384", PAGES, 16384],
    ["1min", MS, 60000],
    ["500us", MS, 0.5],
    ["1e3", COUNT, 1000],
    ["0x10", COUNT, 16],
    ["010", COUNT, 8],
    ["010.0", COUNT, 10],
    [".5", { type: "real" }, 0.5],
    ["-1", COUNT, -1],
    ["4mb", PAGES, undefined],
    ["144 Megabytes", PAGES, undefined],
    ["1s", PAGES, undefined],
    ["5MB", COUNT, undefined],
    ["lots", COUNT, undefined],
    ["", COUNT, undefined],
    ["1 2", COUNT, undefined],
    ["1e999", { type: "real" }, undefined],
    ["constructor", PAGES, undefined],
    ["1constructor", PAGES, undefined],
  ])("%s", (text, kind, expected) => {
    expect(numberOf(text, kind)).toBe(expected);
  });
});

describe("two texts are one value by what they mean:", () => {
  test.each<[string, string, SettingKind | undefined, boolean]>([
    ["0.00001", "1e-05", { type: "real" }, true],
    ["0.9", "0.90", { type: "real" }, true],
    ["1GB", "1024MB", PAGES, true],
    ["131072", "1GB", PAGES, true],
    ["1GB", "1025MB", PAGES, false],
    ["true", "on", { type: "bool" }, true],
    ["1", "on", { type: "bool" }, true],
    ["off", "on", { type: "bool" }, false],
    ["true", "ON", { type: "enum" }, true],
    ["remote_write", "Remote_Write", { type: "enum" }, true],
    ["o", "on", { type: "enum" }, false],
    ["t", "true", { type: "enum" }, false],
    ["1", "on", { type: "string" }, false],
    ["1.0", "1", undefined, false],
    ["lots", "many", COUNT, false],
  ])("%s and %s", (a, b, kind, expected) => {
    expect(sameSetting(a, b, kind)).toBe(expected);
    expect(sameSetting(b, a, kind)).toBe(expected);
  });
});

test("the units that a setting takes are told", () => {
  expect(unitsOf("8kB")).toBe("B, kB, MB, GB, TB");
  expect(unitsOf("min")).toBe("us, ms, s, min, h, d");
  expect(unitsOf(undefined)).toBeUndefined();
});
