import { describe, expect, test } from "vitest";
import { brokenPromises } from "../../../src/lab/chaos/checker";
import { powerOff, powerOn } from "../../../src/lab/power";
import { experiment } from "../experiment";
import { full } from "../harness";
import { leaderOf, until } from "../lab-cluster";
import { leaderLosesPower } from "../power-loss";
import { LAB } from "./lab";
import { cluster, DATABASES, standing, synchronousOf } from "./standing";

standing();

/** Whole segments of 16 MB between the place where a leader was promoted, as its history tells, and where it writes. */
const SEGMENTS_SINCE_PROMOTION = `select trunc((pg_current_wal_lsn() - '0/0') / 16777216) - trunc((promoted - '0/0') / 16777216)
  from (select (regexp_match(pg_read_file('pg_wal/' || left(pg_walfile_name(pg_current_wal_lsn()), 8) || '.history'),
    '([0-9A-F]+/[0-9A-F]+)[^\\n]*\\s*$'))[1]::pg_lsn as promoted) as history`;

describe("failures", () => {
  test("when PostgreSQL of the leader is killed under load, no acknowledged row is lost", async () => {
    const { run: played, verdict } = await experiment(cluster, {
      name: "PostgreSQL of the leader killed",
      lasts: 1,
      wish: ({ leader }) => ({ kind: "kill", args: { host: leader, process: "postgres" } }),
    });
    expect(brokenPromises(verdict, { durable: true })).toEqual([]);
    expect(played.notRecovered).toEqual([]);
    await cluster.onHost(
      leaderOf(await cluster.healthy()),
      "cd / && sudo -u postgres psql -qd app -c 'drop table chaos, chaos_probe'",
    );
  });

  test("when the leader loses power another member leads, and the old one comes back as a replica", async () => {
    const leader = await leaderLosesPower(cluster);
    expect(await cluster.sql(5000, "select count(*) from notes")).toBe("100");
    // The next promotion begins in another segment: the leader could not send the whole of one in which two have begun.
    await until("the segment in which it was promoted has ended", 10, async () =>
      (await cluster.superuserSql(leader, SEGMENTS_SINCE_PROMOTION)) > "0" ? true : undefined,
    );
  });

  full("a member with nofailover never leads", async () => {
    const before = await cluster.healthy();
    const leader = leaderOf(before);
    const tagged = synchronousOf(before);
    const careful = cluster.varying(({ cluster: wanted }) => {
      wanted.members = DATABASES.map((host) =>
        host === tagged ? { host, tags: { nofailover: true } } : host,
      );
    });
    await careful.deploy();
    // Only a synchronous replica takes over by itself, so the other one must have become that first.
    await until("another synchronous replica", 90, async () => {
      const seen = synchronousOf(await cluster.status());
      return seen !== "" && seen !== tagged ? seen : undefined;
    });
    await powerOff(LAB, [leader]);
    const next = await cluster.otherLeader(leader);
    expect([leader, tagged]).not.toContain(next);
    await powerOn(LAB, [leader]);
    expect(leaderOf(await cluster.healthy())).toBe(next);
    await cluster.deploy();
    await cluster.healthy();
  });
});
