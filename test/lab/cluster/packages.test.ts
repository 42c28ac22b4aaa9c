import { expect, test } from "vitest";
import { leaderOf } from "../lab-cluster";
import { cluster, standing } from "./standing";

standing();

test("a package of Debian's that comes anew on the leader restarts nothing of the cluster, and writers go on", async () => {
  const leader = leaderOf(await cluster.healthy());
  await cluster.sql(5000, "create table if not exists probe (id int)");
  const lives = () =>
    cluster.onHost(
      leader,
      "systemctl show -p InvocationID --value patroni etcd; sudo head -n 1 /var/lib/postgresql/17/main/postmaster.pid",
    );
  const before = await lives();
  const apt =
    "sudo DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o Dpkg::Use-Pty=0 install --reinstall patroni etcd-server postgresql-17";
  const { failed } = await cluster.writesDuring(() => cluster.onHost(leader, apt));
  await cluster.sql(5000, "drop table probe");
  expect(failed).toBe(0);
  expect(await lives()).toBe(before);
  expect(leaderOf(await cluster.healthy())).toBe(leader);
});
