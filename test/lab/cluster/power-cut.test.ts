import { describe, expect, test } from "vitest";
import { powerOff, powerOn } from "../../../src/lab/power";
import { full } from "../harness";
import { until } from "../lab-cluster";
import { LAB } from "./lab";
import { cluster, HOSTS, standing } from "./standing";

standing();

describe("a power cut of all hosts at once", () => {
  test("after a power cut of all hosts at once everything comes back by itself and takes writes", async () => {
    await powerOff(LAB, HOSTS);
    await powerOn(LAB, HOSTS);
    await cluster.healthy(300);
    const write =
      "insert into notes values (101) on conflict (id) do update set at = now() returning id";
    const written = await until("a write through the virtual IP", 60, () =>
      cluster.sql(5000, write),
    );
    expect(written).toBe("101");
    await cluster.sql(5000, "delete from notes where id = 101");
    expect(await cluster.sql(5000, "select count(*) from notes")).toBe("100");
  });

  full("a power cut leaves nothing for the next pulumi up to do", () => cluster.unchanged());
});
