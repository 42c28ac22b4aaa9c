import { expect, test } from "vitest";
import { endRestoreOrder, orderRestore } from "../../src/operations/restore-data";

test("Patroni does not know the role of pg_rewind while it restores, and would grant it nothing", () => {
  const order = orderRestore("/var/lib/pgherd/from-backup --backup=20261121T020000", [
    { name: "recovery_target", value: "immediate" },
  ]);
  expect(order).toContain(`bootstrap:
  method: restore
  restore:
    command: "/var/lib/pgherd/from-backup --backup=20261121T020000"
    recovery_conf:
      recovery_target: "immediate"
postgresql:
  authentication:
    rewind: null
`);
});

test("Patroni reads its files again once it has restored", () => {
  expect(endRestoreOrder()).toMatch(/rm -f .*30-restore\.yml[^]*systemctl reload patroni/);
});
