import { describe, expect, test } from "vitest";
import { FULL, full } from "../harness";
import { leaderOf, until, type Mode } from "../lab-cluster";
import { cluster, DATABASES, standing } from "./standing";

standing();

describe("durability", () => {
  /** Where the cluster goes from synchronous, and back: in full each of the twelve ways from one mode to another. */
  const MODES: readonly Mode[] = FULL
    ? [
        ...(["asynchronous", "synchronous", "strict", "synchronous"] as const),
        ...(["quorum", "asynchronous", "strict", "asynchronous"] as const),
        ...(["quorum", "strict", "quorum", "synchronous"] as const),
      ]
    : ["quorum", "synchronous"];

  test(
    "a change of the mode is one pulumi up and restarts nothing",
    async () => {
      const lives = () =>
        Promise.all(
          DATABASES.map(async (host) => [
            await cluster.onHost(host, "systemctl show patroni -p InvocationID"),
            await cluster.superuserSql(host, "select pg_postmaster_start_time()"),
          ]),
        );
      const before = await lives();
      for (const mode of MODES) {
        const inMode = cluster.varying(({ cluster: wanted }) => {
          wanted.replication = { mode };
        });
        await inMode.deploy();
        await inMode.replicates(mode);
        expect(await lives(), mode).toEqual(before);
        if (FULL) await inMode.unchanged();
      }
    },
    FULL ? 3_600_000 : undefined,
  );

  full(
    "a quorum whose replicas are all away goes on alone, and waits again once they are back",
    async () => {
      const quorum = cluster.varying(({ cluster: wanted }) => {
        wanted.replication = { mode: "quorum" };
      });
      await quorum.deploy();
      await quorum.replicates("quorum");
      const leader = leaderOf(await cluster.healthy());
      const replicas = DATABASES.filter((host) => host !== leader);
      // The DCS has a majority without their Patroni and PostgreSQL.
      for (const host of replicas) await cluster.onHost(host, "sudo systemctl stop patroni");
      const written = await until("a write without a replica", 60, () =>
        cluster.sql(5000, "insert into notes values (101) returning id"),
      );
      expect(written).toBe("101");
      for (const host of replicas) await cluster.onHost(host, "sudo systemctl start patroni");
      await cluster.healthy();
      await quorum.replicates("quorum");
      await cluster.sql(5000, "delete from notes where id = 101");
    },
  );
});
