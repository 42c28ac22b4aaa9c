import { expect, test } from "vitest";
import { effectsOfRollback, type Restart } from "../../../src/migration/cli/rollback";

const told = (restart: Restart) =>
  effectsOfRollback({ method: "adopt", from: "db1" }, "stacks/Pulumi.prod.yaml", restart).join(
    "\n",
  );

test("the way back says before it asks that PostgreSQL restarts, and for how long sessions are cut", () => {
  expect(told("needed")).toMatch(
    /^PostgreSQL on db1 restarts once, since Patroni has started it: its sessions are cut .* one or two seconds .* ten /m,
  );
});

test("the way back says that nothing restarts where the server runs as before the migration", () => {
  expect(told("none")).toContain("PostgreSQL on db1 is not restarted");
});

test("the way back does not promise anything of a restart that could not be looked for", () => {
  expect(told("unknown")).toContain("which could not be looked at");
});
