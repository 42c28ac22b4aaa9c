import { expect, test } from "vitest";
import { conditionOf } from "../../src/facts/member-state";

// Patroni 3.0.4 to 4.1.4: patroni/postgresql/*.py and patroni/ha.py (set_state), postgresql/misc.py (PostgresqlState).
test.each([
  ["running", "serving"],
  ["streaming", "serving"],
  ["in archive recovery", "serving"],
  ["starting", "changing"],
  ["restarting", "changing"],
  ["stopping", "changing"],
  ["creating replica", "changing"],
  ["initializing new cluster", "changing"],
  ["running custom bootstrap script", "changing"],
  ["starting after custom bootstrap", "changing"],
  ["stopped", "stopped"],
  ["crashed", "failed"],
  ["initdb failed", "failed"],
  ["custom bootstrap failed", "failed"],
  ["start failed", "failed"],
  ["stop failed", "failed"],
  ["restart failed", "failed"],
  ["restart failed (restarting)", "failed"],
  ["no answer", "silent"],
  ["unknown", "unknown"],
  ["", "unknown"],
  ["constructor", "unknown"],
  ["hibernating", "unknown"],
])("a member that Patroni calls %j is %s", (state, condition) => {
  expect(conditionOf(state)).toBe(condition);
});
