import { describe, expect, test } from "vitest";
import { cluster, DATABASES, standing } from "./standing";

standing();

describe("the end and the beginning", () => {
  test("pulumi destroy leaves the data, and the next pulumi up takes it up again", async () => {
    const before = await cluster.outputs();
    await cluster.pulumi("destroy", "--yes", "--skip-preview");
    for (const host of DATABASES) {
      expect(await cluster.onHost(host, "sudo cat /var/lib/postgresql/17/main/PG_VERSION")).toBe(
        "17\n",
      );
      expect(await cluster.onHost(host, "find /proc -maxdepth 1 -user postgres | wc -l")).toBe(
        "0\n",
      );
    }
    await cluster.deploy();
    await cluster.healthy();
    expect((await cluster.outputs()).systemIdentifier).toBe(before.systemIdentifier);
    expect(await cluster.sql(5000, "select count(*) from notes")).toBe("100");
  });
});
