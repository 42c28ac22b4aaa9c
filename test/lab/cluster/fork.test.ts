import { describe, expect, test } from "vitest";
import type { Fork } from "../../../src/facts/forks";
import { leaderOf } from "../lab-cluster";
import { cluster, standing } from "./standing";

standing();

describe("a fork", () => {
  test("has the database as it was, goes its own way, and leaves nothing when it is dropped", async () => {
    const before = await cluster.healthy();
    const said = await cluster.pgherd("fork", "create", "try");
    expect(said).toContain("takes connections after");
    const [fork] = JSON.parse(await cluster.pgherd("fork", "list", "--json")) as Fork[];
    expect(fork).toMatchObject({ name: "try", state: "running" });
    expect(fork?.host).not.toBe(leaderOf(before));
    const password = (await cluster.pgherd("fork", "password", "try")).trim();
    const script = `read -r PGPASSWORD; export PGPASSWORD; psql -XAtq -h 10.89.0.1${fork?.host.slice(2)} -p ${fork?.port} -U app -d app`;
    const change = "delete from notes where id > 10; select count(*) from notes";
    const from = fork?.host === "db1" ? "db2" : "db1";
    expect(await cluster.onHost(from, `${script} -c "${change}"`, `${password}\n`)).toBe("10\n");
    expect(await cluster.sql(5000, "select count(*) from notes")).toBe("100");
    expect((await cluster.healthy()).members).toHaveLength(before.members.length);
    await cluster.pgherd("fork", "drop", "try");
    expect(await cluster.pgherd("fork", "list", "--json")).toBe("[]\n");
  });
});
