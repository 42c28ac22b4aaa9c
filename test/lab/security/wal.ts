import { expect, test } from "vitest";
import { during } from "../../../src/lab/faults/inflict";
import { powerOff, powerOn } from "../../../src/lab/power";
import { leaderOf, until, type LabCluster } from "../lab-cluster";

/** Nothing that the backup host has of the WAL takes the place of what a member has more of. */
export function wal(cluster: LabCluster): void {
  test("what a replica has acknowledged survives a power cut of it and the leader, however far the backup host is behind", async () => {
    const { members } = await cluster.healthy();
    const leader = members.find(({ role }) => role === "leader")?.name ?? "";
    const standby = members.find(({ role }) => role === "sync_standby")?.name ?? "";
    await cluster.sql(5000, "drop table if exists kept; create table kept (id int)");
    await cluster.sql(5000, "insert into kept values (1)");
    await cluster.superuserSql(leader, "checkpoint");
    await received(cluster, leader);
    const lagging = { host: "backup1", process: "pg_receivewal" };
    await during(cluster.lab, { kind: "suspend", args: lagging }, async () => {
      await cluster.sql(
        5000,
        "do 'begin for i in 2..50 loop insert into kept values (i); commit; end loop; end'",
      );
      await powerOff(cluster.lab, [leader, standby]);
      await powerOn(cluster.lab, [standby]);
      await until(`${standby} leads`, 120, async () =>
        leaderOf(await cluster.status()) === standby ? true : undefined,
      );
      expect(await cluster.superuserSql(standby, "select count(*) from kept", "app")).toBe("50");
    }).finally(() => powerOn(cluster.lab, [leader, standby]));
    await cluster.healthy();
    expect(await cluster.sql(5000, "select count(*) from kept")).toBe("50");
  });
}

/** Waits until the backup host has what the leader has written. */
async function received(cluster: LabCluster, leader: string): Promise<void> {
  await until("all WAL received", 60, async () => {
    const seen = await cluster.superuserSql(
      leader,
      "select bool_or(sent_lsn >= pg_current_wal_lsn()) from pg_stat_replication where application_name = 'barman_receive_wal'",
    );
    return seen === "t" ? true : undefined;
  });
}
