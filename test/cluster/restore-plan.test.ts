import { expect, test } from "vitest";
import { byFolder } from "../../src/cluster/restore-plan";

test("members with the same folder are named together", () => {
  const main = "/var/lib/postgresql/17/main";
  expect(
    byFolder([
      ["db1", "/srv/shop"],
      ["db2", main],
      ["db3", main],
    ]),
  ).toEqual(["/srv/shop on db1", `${main} on db2, db3`]);
});
