import { expect, test } from "vitest";
import { isUp, maskUnits, retireUnit, runUnit } from "../../src/operations/units";
import type { UnitState } from "../../src/facts/systemd";

const running: UnitState = {
  active: "active",
  sub: "running",
  enabled: "enabled",
  invocation: "0b6b",
  since: 1763703912,
  loaded: "old",
};
const how = { hash: "new", outdated: false, loading: "reload", wait: true } as const;

/** The calls that change a unit. */
function calls(script: string): string[] {
  return script.match(/systemctl (start|enable|-q unmask|reload|restart|stop)\b.*/g) ?? [];
}

test("a running, enabled unit with the right configuration is left alone, and that is recorded", () => {
  const script = runUnit("patroni.service", running, how);
  expect(calls(script)).toEqual([]);
  expect(script).toContain("/run/pgherd/loaded/patroni.service");
});

test("another configuration is loaded, and that is recorded", () => {
  const script = runUnit("patroni.service", running, { ...how, outdated: true });
  expect(calls(script)).toEqual(["systemctl reload patroni.service"]);
  expect(script).toMatch(
    / new \$\(systemctl show -p StateChangeTimestampMonotonic .*\)" >\/run\/pgherd\/loaded\/patroni.service$/,
  );
});

test("a unit that cannot reload is restarted", () => {
  const script = runUnit("etcd.service", running, { ...how, outdated: true, loading: "restart" });
  expect(calls(script)).toEqual(["systemctl restart etcd.service"]);
});

test("a unit that does not run is enabled and started, not reloaded", () => {
  const stopped = { ...running, active: "inactive", sub: "dead", enabled: "disabled" };
  const script = runUnit("patroni.service", stopped, { ...how, outdated: true });
  expect(calls(script)).toEqual([
    "systemctl -q unmask patroni.service",
    "systemctl -q unmask --runtime patroni.service",
    "systemctl enable -q patroni.service",
    "systemctl start patroni.service",
  ]);
});

test("a unit that starts only together with others is not waited for", () => {
  const stopped = { ...running, active: "failed", sub: "failed" };
  const script = runUnit("etcd.service", stopped, { ...how, wait: false });
  expect(calls(script)).toEqual(["systemctl start --no-block etcd.service"]);
  expect(script).not.toContain("/run/pgherd/loaded");
});

test("a unit that starts only together with others has stopped before it is started again", () => {
  const script = runUnit("etcd.service", running, {
    ...how,
    outdated: true,
    loading: "restart",
    wait: false,
  });
  expect(calls(script)).toEqual([
    "systemctl stop etcd.service",
    "systemctl start --no-block etcd.service",
  ]);
  expect(script).not.toContain("/run/pgherd/loaded");
});

test("a masked unit is unmasked first, also one that is masked until the next start", () => {
  for (const enabled of ["masked", "masked-runtime"]) {
    const script = runUnit("haproxy.service", { ...running, enabled }, how);
    expect(calls(script)).toEqual([
      "systemctl -q unmask haproxy.service",
      "systemctl -q unmask --runtime haproxy.service",
      "systemctl enable -q haproxy.service",
    ]);
  }
});

test.each([
  ["active", "running", true],
  ["reloading", "reload", true],
  ["activating", "start", true],
  ["activating", "auto-restart", false],
  ["inactive", "dead", false],
  ["failed", "failed", false],
])("a unit that is %s (%s) counts as up: %s", (active, sub, up) => {
  expect(isUp({ active, sub })).toBe(up);
});

test("masking stops nothing, and nothing to mask is no command", () => {
  expect(maskUnits(["postgresql.service"])).toBe(
    "ln -sfn /dev/null /etc/systemd/system/postgresql.service",
  );
  expect(maskUnits([])).toBe("");
});

test("retiring a unit removes the record of what it had loaded", () => {
  expect(retireUnit("etcd.service")).toContain("rm -f /run/pgherd/loaded/etcd.service");
});
