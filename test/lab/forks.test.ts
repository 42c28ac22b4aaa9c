import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Fork } from "../../src/facts/forks";
import { down } from "../../src/lab/down";
import { powerOff, powerOn } from "../../src/lab/power";
import { FULL } from "./harness";
import { LabCluster, leaderOf, until } from "./lab-cluster";
import { serve } from "./served";

// Forks of a database on real hosts: on every file system that the lab can give them in a full run.

const LAB = "t-forks";

describe.runIf(FULL).each(["xfs", "btrfs"] as const)("forks on %s", (dataFs) => {
  const cluster = new LabCluster(LAB);

  beforeAll(async () => {
    await cluster.boot({ topology: "standard", distro: "trixie", dataFs });
    await cluster.deploy();
    await cluster.healthy(60);
    await cluster.sql(5000, "create table notes (id int primary key)");
    await cluster.sql(5000, "insert into notes select generate_series(1, 1000)");
  }, 1_200_000);

  afterAll(() => down(LAB));

  /** Runs SQL on a fork as a client with the fork's password would, from another host. */
  async function onFork(name: string, sql: string): Promise<string> {
    const fork = await forkNamed(cluster, name);
    const password = (await cluster.pgherd("fork", "password", name)).trim();
    const address = `10.89.0.1${fork.host.slice(2)}`;
    const script = `read -r PGPASSWORD; export PGPASSWORD; psql -XAtq -h ${address} -p ${fork.port} -U app -d app -c "${sql}"`;
    const from = fork.host === "db1" ? "db2" : "db1";
    return (await cluster.onHost(from, script, `${password}\n`)).trim();
  }

  test("a fork has all that was committed before, takes writes, and changes nothing in the cluster", async () => {
    const before = await cluster.healthy();
    const said = await cluster.pgherd("fork", "create", "try");
    expect(said).toContain("takes connections after");
    expect(await onFork("try", "select count(*) from notes")).toBe("1000");
    expect(await onFork("try", "delete from notes where id > 10 returning 1")).toContain("1");
    expect(await onFork("try", "select pg_is_in_recovery()")).toBe("f");
    expect(await cluster.sql(5000, "select count(*) from notes")).toBe("1000");
    const after = await cluster.healthy();
    expect(after.members.map(({ name }) => name)).toEqual(before.members.map(({ name }) => name));
    const { timeline } = await forkNamed(cluster, "try");
    expect(timeline).toBe((before.members[0]?.timeline ?? 0) + 1);
    expect((await forkNamed(cluster, "try")).host).not.toBe(leaderOf(before));
  });

  test("a fork can be made of a database that has received rows by a subscription", async () => {
    // As its worker commits them (PostgreSQL, "Replication Progress Tracking").
    const received = `select pg_replication_origin_create('elsewhere');
      select pg_replication_origin_session_setup('elsewhere');
      begin;
      select pg_replication_origin_xact_setup('0/100', now());
      create table received (id int);
      commit;`;
    await cluster.superuserSql(leaderOf(await cluster.status()), received);
    expect(await cluster.pgherd("fork", "create", "subscriber")).toContain("takes connections");
    await cluster.pgherd("fork", "drop", "subscriber");
  });

  test("a fork archives nothing, has no slots and follows nobody", async () => {
    const { host, port } = await forkNamed(cluster, "try");
    const look = `select current_setting('archive_mode'), (select count(*) from pg_replication_slots), current_setting('max_wal_senders'), current_setting('primary_conninfo')`;
    const seen = await cluster.onHost(
      host,
      `cd / && sudo runuser -u postgres -- psql -XAtq -h /run/pgherd-fork-try -p ${port} -c "${look}"`,
    );
    expect(seen).toBe("off|0|0|\n");
  });

  test("the cluster's passwords do not open a fork, nor does a fork's open the cluster", async () => {
    const { host, port } = await forkNamed(cluster, "try");
    const { passwords } = await cluster.outputs();
    const fork = (await cluster.pgherd("fork", "password", "try")).trim();
    const attempt = (address: string, to: number, password: string) =>
      cluster.onHost(
        "db1",
        `read -r PGPASSWORD; export PGPASSWORD; psql -XAtq -h ${address} -p ${to} -U app -d app -c 'select 1' 2>&1 || :`,
        `${password}\n`,
      );
    const address = `10.89.0.1${host.slice(2)}`;
    expect(await attempt(address, port, passwords.app)).toContain("password authentication failed");
    expect(await attempt("10.89.0.100", 5000, fork)).toContain("password authentication failed");
  });

  test("the API makes, lists and removes a fork as the command does", async () => {
    const served = await serve(LAB);
    try {
      const made = await served.call<Fork>("POST", "forks", { name: "called", ttl: "10m" });
      expect(await onFork("called", "select count(*) from notes")).toBe("1000");
      const { forks: listed } = await served.call<{ forks: Fork[] }>("GET", "forks");
      expect(listed.map(({ name }) => name).sort()).toEqual(["called", "try"]);
      await expect(served.call("POST", "forks", { name: "called" })).rejects.toThrow(
        "there is one already",
      );
      expect(await served.call("DELETE", "forks/called")).toEqual({ removedFrom: [made.host] });
      expect((await forks(cluster)).map(({ name }) => name)).toEqual(["try"]);
    } finally {
      await served.stop();
    }
  });

  test("two forks of one name are refused, and so is a member that does not exist", async () => {
    await expect(cluster.pgherd("fork", "create", "try")).rejects.toThrow("there is one already");
    await expect(cluster.pgherd("fork", "create", "b", "--from", "db9")).rejects.toThrow(
      '--from: expected one of replica, db1, db2, db3, got "db9"',
    );
  });

  test("a fork is there again after its host had no power, and the member beside it too", async () => {
    const { host } = await forkNamed(cluster, "try");
    await powerOff(LAB, [host]);
    await powerOn(LAB, [host]);
    await cluster.healthy();
    await until("the fork runs", 60, async () =>
      (await forkNamed(cluster, "try")).state === "running" ? true : undefined,
    );
    expect(await onFork("try", "select count(*) from notes")).toBe("10");
  });

  test("the host removes a fork whose time is over, and keeps the others", async () => {
    await cluster.pgherd("fork", "create", "short", "--ttl", "1m");
    expect((await forks(cluster)).map(({ name }) => name).sort()).toEqual(["short", "try"]);
    await until("the fork is gone", 120, async () =>
      (await forks(cluster)).length === 1 ? true : undefined,
    );
    expect((await forkNamed(cluster, "try")).state).toBe("running");
  });

  test("the host stops a fork that takes more of the disk than it may, and says why", async () => {
    await cluster.pgherd("fork", "create", "greedy", "--disk", "256MB");
    const filled = onFork(
      "greedy",
      "create table much as select repeat('x', 1000) from generate_series(1, 200000)",
    );
    // On a slow host it is stopped while it still fills.
    await filled.catch(({ message }: Error) =>
      expect(message).toMatch(/terminating connection|Connection refused/),
    );
    const stopped = await until("the fork is stopped", 150, async () => {
      const fork = await forkNamed(cluster, "greedy");
      return fork.state === "stopped" ? fork : undefined;
    });
    expect(stopped.reason).toMatch(/^it takes \d+ bytes of the disk, more than 268435456$/);
    await cluster.healthy();
  });

  test("a dropped fork leaves nothing, and a drop of nothing says so", async () => {
    for (const { name } of await forks(cluster)) await cluster.pgherd("fork", "drop", name);
    for (const host of ["db1", "db2", "db3"]) {
      const left = await cluster.onHost(
        host,
        "sudo sh -c 'ls /var/lib/postgresql/17/forks 2>/dev/null; ls /etc/systemd/system | grep fork; nft list tables | grep fork; pgrep -u postgres -f fork; :'",
      );
      expect(left, host).toBe("");
    }
    expect(await cluster.pgherd("fork", "drop", "try")).toBe("try: no such fork\n");
  });

  test("a fork that the stack declares is a resource: made, unchanged, mended, removed", async () => {
    const declared = cluster.varying(({ cluster: wanted }) => {
      wanted.forks = [{ name: "staging", from: "replica", port: 5440, memory: "256MB" }];
    });
    await declared.deploy();
    await declared.unchanged();
    const outputs = (await declared.outputs()) as unknown as { forks: { staging: string } };
    expect(outputs.forks.staging).toMatch(/^postgresql:\/\/10\.89\.0\.1\d:5440\/$/);
    const { host } = await forkNamed(declared, "staging");
    await cluster.onHost(host, "sudo systemctl stop pgherd-fork-staging");
    expect(
      await declared.refused("up", "--yes", "--skip-preview", "--refresh", "--expect-no-changes"),
    ).toContain("staging");
    await declared.deploy("--refresh");
    expect((await forkNamed(declared, "staging")).state).toBe("running");
    await expect(declared.pgherd("fork", "drop", "staging")).rejects.toThrow("declared in stack");
    await cluster.deploy();
    expect(await forks(cluster)).toEqual([]);
    await cluster.unchanged();
  });
});

describe.runIf(FULL)("forks on ext4", () => {
  const cluster = new LabCluster(LAB);

  beforeAll(async () => {
    await cluster.boot({ topology: "standard", distro: "trixie", dataFs: "ext4" });
    await cluster.deploy();
    await cluster.healthy(60);
  }, 1_200_000);

  afterAll(() => down(LAB));

  test("are refused with the remedy, and nothing is left of the try", async () => {
    await expect(cluster.pgherd("fork", "create", "try")).rejects.toThrow(
      /expected a file system that copies on write for \/var\/lib\/postgresql\/17\/main .*found ext4\.[^]*--data-fs btrfs/,
    );
    expect(await forks(cluster)).toEqual([]);
  });

  test("are refused in a stack before anything is changed", async () => {
    const declared = cluster.varying(({ cluster: wanted }) => {
      wanted.forks = [{ name: "staging", port: 5440 }];
    });
    expect(await declared.refused("up", "--yes", "--skip-preview")).toContain(
      "expected a file system that copies on write for pgherd:cluster.forks (btrfs or xfs), found ext4",
    );
  });
});

async function forks(cluster: LabCluster): Promise<Fork[]> {
  return JSON.parse(await cluster.pgherd("fork", "list", "--json")) as Fork[];
}

async function forkNamed(cluster: LabCluster, name: string): Promise<Fork> {
  const found = (await forks(cluster)).find((fork) => fork.name === name);
  if (!found) throw new Error(`no fork ${name}`);
  return found;
}
