import { expect, test } from "vitest";
import { FactError } from "../../src/errors";
import { bodyOf, firewallProbe, onTrialProbe, rulesFile } from "../../src/facts/firewall";

const FILE = "f65d9cb4dd51ff2b30984ad78b7b6f8d364201a93fb1028a0ef49c3737733720";
const KERNEL = "9e9dd585a82b3b5e66d878f102458e1efcefbab91a07d8ce57399324d4bdd43d";
const OTHER = "532aa18328a18825453388f74a0621b1eb722657cb4a9c5b389236868df8308e";

/** What a host prints; the sums as sha256sum has them. */
function printed({ file = FILE, kernel = KERNEL, recorded = `${FILE} - ${KERNEL} -` } = {}) {
  return [
    "enabled enabled",
    `file ${file}  -`,
    ...(kernel === "" ? [] : [`kernel ${kernel}  -`]),
    `recorded ${recorded}`,
    "",
  ].join("\n");
}

function loaded(output: string) {
  return firewallProbe().parse(output).loaded;
}

test("rules are active where the kernel has what the rules file was loaded as", () => {
  expect(firewallProbe().parse(printed())).toEqual({ loaded: "active", enabled: "enabled" });
});

test("a rule that somebody added or removed by hand is a change", () => {
  expect(loaded(printed({ kernel: OTHER }))).toBe("changed");
});

test("a rules file that was edited and not loaded is a change", () => {
  expect(loaded(printed({ file: OTHER }))).toBe("changed");
});

test("rules on trial are a change: nothing has been recorded of them", () => {
  expect(loaded(printed({ recorded: "" }))).toBe("changed");
  expect(loaded(printed({ file: "", recorded: "" }))).toBe("changed");
});

test("flushed rules are absent, whatever was recorded", () => {
  expect(loaded(printed({ kernel: "" }))).toBe("absent");
});

test("a blank host has no rules and no unit", () => {
  const blank = { loaded: "absent", enabled: "absent" };
  // systemd 252 of Debian 12 prints nothing, 257 of Debian 13 a word.
  expect(firewallProbe().parse("enabled \nfile \nrecorded\n")).toEqual(blank);
  expect(firewallProbe().parse("enabled not-found\nfile \nrecorded\n")).toEqual(blank);
});

test("a host that answers something else is an error", () => {
  expect(() => firewallProbe().parse("")).toThrow(FactError);
});

test("the body of the table is found again in the file", () => {
  expect(bodyOf(rulesFile("    chain input {\n    }\n"))).toBe("    chain input {\n    }\n");
  expect(bodyOf("table inet filter {\n}\n")).toBe("table inet filter {\n}\n");
  expect(bodyOf("")).toBe("");
});

test("rules are on trial as long as the timer that takes them back is active", () => {
  expect(onTrialProbe().parse("active\n")).toBe(true);
  expect(onTrialProbe().parse("inactive\n")).toBe(false);
});
