import { describe, expect, test } from "vitest";
import { FULL } from "../harness";
import type { Mode } from "../lab-cluster";
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
});
