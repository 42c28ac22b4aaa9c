import { expect, test } from "vitest";
import { FactError } from "../../src/errors";
import { maskedProbe, unitProbe } from "../../src/facts/systemd";

// Printed by systemd 257 of Debian 13.
const RUNNING = `ActiveState=active
SubState=running
UnitFileState=enabled
ActiveEnterTimestamp=@1763703912
StateChangeTimestamp=@1763703999
StateChangeTimestampMonotonic=81236717
InvocationID=0b6bd3fe9d5b4a1c8c2f4d9a54a0f6f1
`;

test("a running unit is told with its last start or reload and the configuration that it loaded", () => {
  const output = `${RUNNING}Loaded=0b6bd3fe9d5b4a1c8c2f4d9a54a0f6f1 9f86d081 81236717\n`;
  expect(unitProbe("patroni.service").parse(output)).toEqual({
    active: "active",
    sub: "running",
    enabled: "enabled",
    invocation: "0b6bd3fe9d5b4a1c8c2f4d9a54a0f6f1",
    since: 1763703999,
    loaded: "9f86d081",
  });
});

test("what an earlier run of the unit loaded does not count", () => {
  const output = `${RUNNING}Loaded=ffffffffffffffffffffffffffffffff 9f86d081 81236717\n`;
  expect(unitProbe("patroni.service").parse(output).loaded).toBe("");
  expect(unitProbe("patroni.service").parse(`${RUNNING}Loaded=`).loaded).toBe("");
});

test("after a reload by somebody else it is not known what is loaded", () => {
  const output = `${RUNNING}Loaded=0b6bd3fe9d5b4a1c8c2f4d9a54a0f6f1 9f86d081 80000000\n`;
  expect(unitProbe("patroni.service").parse(output).loaded).toBe("");
});

test("an unknown unit is inactive and not enabled", () => {
  const output = `ActiveState=inactive
SubState=dead
UnitFileState=
ActiveEnterTimestamp=
InvocationID=
Loaded=`;
  expect(unitProbe("patroni.service").parse(output)).toEqual({
    active: "inactive",
    sub: "dead",
    enabled: "",
    invocation: "",
    since: 0,
    loaded: "",
  });
});

test("a record without a run of the unit does not count as loaded", () => {
  const output = "ActiveState=inactive\nInvocationID=\nLoaded= 9f86d081\n";
  expect(unitProbe("etcd.service").parse(output).loaded).toBe("");
});

test("a host without systemd is an error, not an inactive unit", () => {
  const output = "System has not been booted with systemd as init system (PID 1).\nLoaded=";
  expect(() => unitProbe("etcd.service").parse(output)).toThrow(FactError);
});

test("masked units are listed", () => {
  const probe = maskedProbe(["postgresql.service", "postgresql@17-main.service"]);
  expect(probe.parse("postgresql@17-main.service\n")).toEqual(["postgresql@17-main.service"]);
  expect(probe.parse("")).toEqual([]);
});
