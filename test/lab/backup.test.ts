import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { BaseBackup, Verification } from "../../src/facts/barman";
import { addHost } from "../../src/lab/add-host";
import { down } from "../../src/lab/down";
import { labExec } from "../../src/lab/exec";
import { powerOff, powerOn } from "../../src/lab/power";
import type { Distro } from "../../src/lab/topology";
import { packageRoot } from "../../src/package-root";
import { FULL, full, RELEASES } from "./harness";
import { LabCluster, leaderOf, until } from "./lab-cluster";
import { serve } from "./served";

// Backups of one cluster on real hosts, through its life: taken, followed over changes of the leader, restored, proven.
// The tests build on each other. `npm test` runs the first distribution's; `npm run test:full` both, and more of each.

/** The lab's name, for whoever runs several at once. */
const LAB = process.env.PGHERD_TEST_LAB ?? "t-backup";

/** Leaves the lab standing: for work on these tests. */
const KEEP = Boolean(process.env.PGHERD_TEST_KEEP);

/** Each release has a PostgreSQL of its own. */
const VERSIONS: { readonly [distro in Distro]: number } = { trixie: 17, bookworm: 15, forky: 18 };

describe.each(FULL ? RELEASES : RELEASES.slice(0, 1))("backups on Debian %s", (distro) => {
  const cluster = new LabCluster(LAB).varying((settings) => {
    settings.cluster.postgresql = {
      ...settings.cluster.postgresql,
      version: VERSIONS[distro],
    };
    settings.cluster.backup = {
      host: "backup1",
      verify: { checks: [{ database: "app", sql: "select count(*) > 0 from ledger" }] },
    };
  });

  beforeAll(async () => {
    await cluster.boot({ topology: "standard", distro });
    await cluster.deploy();
  }, 1_200_000);

  afterAll(() => (KEEP ? undefined : down(LAB)));

  const backups = async () =>
    JSON.parse(await cluster.pgherd("backup", "list", "--json")) as BaseBackup[];

  /** Writes this many further rows, each a transaction of its own. */
  const write = (rows: number) =>
    cluster.sql(
      5000,
      `do 'begin for i in 1..${rows} loop insert into ledger default values; commit; end loop; end'`,
    );

  const rows = async () => Number(await cluster.sql(5000, "select count(*) from ledger"));

  /** Waits until Barman has received what the leader has written, and nothing else is wrong with backups. */
  const received = (known = /^$/) =>
    until("all WAL received", 120, async () => {
      const seen = await cluster.status();
      const sent = await cluster.superuserSql(
        leaderOf(seen),
        "select bool_or(sent_lsn >= pg_current_wal_lsn()) from pg_stat_replication where application_name = 'barman_receive_wal'",
      );
      const wrong = seen.backup?.problems.filter((problem) => !known.test(problem));
      return sent === "t" && wrong?.length === 0 ? seen.backup : undefined;
    });

  const switchOver = async (leader?: string) => {
    const old = leader ?? leaderOf(await cluster.healthy());
    await cluster.onHost(
      old,
      `sudo patronictl -c /etc/patroni/pgherd switchover demo --leader ${old} --force || sudo patronictl -c /etc/patroni/pgherd switchover demo --master ${old} --force`,
    );
    return cluster.otherLeader(old);
  };

  const restore = (...target: string[]) => cluster.pgherd("restore", ...target, "--yes");

  /** Restores to a moment, finds as many rows as there were then, and begins anew with a backup. */
  const comesBackTo = async (at: string, then: number) => {
    await restore("--target-time", at);
    await cluster.healthy();
    expect(await rows()).toBe(then);
    await cluster.pgherd("backup", "now");
  };

  test("one pulumi up brings backups along: a first one, WAL, timers and passed checks", async () => {
    const seen = await cluster.healthy(60);
    expect(seen.backup?.problems).toEqual([]);
    expect(seen.backup?.newest?.status).toBe("DONE");
    expect(await cluster.pgherd("backup", "check")).toContain("All of Barman's checks pass");
    expect(seen.backup?.nextAt).toBeGreaterThan(Date.now() / 1000);
  });

  test.each([
    {
      ...{ daemon: "patroni", host: "db1", unit: "patroni.service" },
      path: "/etc/patroni/pgherd/10-member.yml",
      change: (text: string) => text.replace("nosync: false", "nosync: maybe"),
      said: "tags.nosync: is not a boolean (found 'maybe')",
    },
    {
      ...{ daemon: "barman", host: "backup1", unit: "pgherd-barman.service" },
      path: "/etc/barman.d/demo.conf",
      change: (text: string) => text.replace("parallel_jobs = 2", "parallel_jobs = many"),
      said: "invalid configuration value 'many' for key parallel_jobs",
    },
  ])(
    "a file that $daemon does not understand never reaches its place, and what runs goes on",
    async ({ daemon, host, unit, path, change, said }) => {
      const [group = "", text] = await Promise.all([
        cluster.onHost(host, `sudo stat -c %G ${path}`),
        cluster.onHost(host, `sudo cat ${path}`),
      ]);
      const seen = () =>
        cluster.onHost(
          host,
          `sudo sha256sum ${path}; sudo ls -A $(dirname ${path}); systemctl show -p InvocationID,ExecReload ${unit}`,
        );
      const before = await seen();
      const file = { mode: "0640", owner: "root", group: group.trim(), content: change(text) };
      const input = JSON.stringify({ host, daemon, files: { [path]: file } });
      const apply = [process.execPath, join(packageRoot(), "test/lab/run.cjs"), "apply-service"];
      const refused = await labExec(LAB, apply, { input }).then(
        () => "taken",
        (error: Error) => error.message,
      );
      expect(refused).toContain(`${host}: setting up ${daemon} failed`);
      expect(refused).toContain(`${path}: the new configuration is refused by its own program:`);
      expect(refused).toContain(said);
      expect(await seen()).toBe(before);
    },
  );

  test("the next pulumi up changes nothing", async () => {
    await cluster.unchanged();
  });

  full("what somebody changes on the backup host shows, and is mended", async () => {
    await cluster.onHost(
      "backup1",
      "sudo sh -c 'echo minimum_redundancy=0 >>/etc/barman.d/demo.conf; systemctl stop pgherd-backup.timer; sed -i /pgherd/d ~barman/.ssh/authorized_keys'",
    );
    const preview = await cluster.pulumi("preview", "--refresh", "--diff");
    expect(preview).toContain("minimum_redundancy=0");
    await cluster.deploy("--refresh");
    await cluster.unchanged();
    expect((await cluster.healthy(30)).backup?.problems).toEqual([]);
  });

  test("a database host can read backups and nothing else, and the backup host only the data", async () => {
    const as = (user: string, host: string, to: string, command: string) =>
      cluster.onHost(
        host,
        `sudo -u ${user} ssh -F /var/lib/pgherd/ssh-${user}/config ${to} ${command} 2>&1 || :`,
      );
    const [newest] = await backups();
    const home = "/var/lib/barman/demo/base";
    for (const attempt of [
      `rm -rf ${home}`,
      "barman delete demo oldest",
      "sh",
      `"'; rm -r ${home}'"`,
    ]) {
      expect(await as("postgres", "db1", "backup1", attempt)).toContain("for reading backups only");
    }
    expect(
      await as("barman", "backup1", "db1", "cat /etc/patroni/pgherd/20-secrets.yml"),
    ).toContain("for reading the data directory only");
    // As Barman's rsync asks: its arguments come over standard input.
    const asked = `printf "%s\\0" rsync --ignore-missing-args --inplace . /etc/patroni/ ""`;
    const rsync = `sudo -u barman ssh -F /var/lib/pgherd/ssh-barman/config db1 rsync --server --sender -sLtpre.iLsfxCIvu`;
    expect(await cluster.onHost("backup1", `${asked} | ${rsync} 2>&1 || :`)).toContain(
      "is not in the data directory",
    );
    expect((await backups())[0]?.id).toBe(newest?.id);
  });

  test("a backup is taken when asked for, and unchanged files are shared with the last one", async () => {
    await cluster.sql(
      5000,
      "create table ledger (id bigint generated always as identity, at timestamptz default clock_timestamp())",
    );
    await write(50);
    await cluster.pgherd("backup", "now");
    const [newest, first] = await backups();
    expect(newest?.status).toBe("DONE");
    expect(newest?.id).not.toBe(first?.id);
    expect(newest?.ownSize).toBeLessThan((newest?.size ?? 0) / 2);
  });

  /** A moment that only a timeline has which a restore has left. */
  let left = "";

  test("the database comes back to a moment with exactly the rows until then", async () => {
    await write(25);
    const at = await cluster.sql(5000, "select clock_timestamp()");
    await write(25);
    left = await cluster.sql(5000, "select clock_timestamp()");
    await write(1);
    await received();
    const before = await cluster.healthy();
    const planned = await cluster.planned("restore", "--target-time", at);
    expect(planned).toContain("everything that was committed after it");
    expect(await rows()).toBe(101);
    await restore("--target-time", at);
    const after = await cluster.healthy();
    expect(await rows()).toBe(75);
    expect(await cluster.sql(5000, `select count(*) from ledger where at > '${at}'`)).toBe("0");
    const timeline = (seen: typeof before) => seen.members[0]?.timeline ?? 0;
    expect(timeline(after)).toBeGreaterThan(timeline(before));
    const kept = await cluster.onHost(
      "db1",
      "sudo sh -c 'ls -d /var/lib/postgresql/*/main.before-restore-*'",
    );
    expect(kept.trim().split("\n")).toHaveLength(1);
  });

  test("WAL goes on being received after a restore, which leaves nothing for pulumi up to mend", async () => {
    await write(5);
    await cluster.pgherd("backup", "now");
    await cluster.healthy(120);
    await cluster.unchanged();
  });

  test("a target outside the window is refused before anything is changed", async () => {
    const refused = (...target: string[]) => cluster.pgherdRefuses("restore", ...target, "--yes");
    expect(await refused("--target-time", "2020-01-01 00:00:00Z")).toContain(
      "expected a time that backups and WAL cover",
    );
    expect(await refused("--target-time", "yesterday")).toContain("that backups and WAL cover");
    expect(await refused("--target-lsn", "FF/FF000000")).toContain("got FF/FF000000");
    expect(await refused("--target-time", left)).toMatch(
      /on timeline 1, which was left at .* Add --target-timeline 1 for what it had there/,
    );
    expect(await refused("--target-name", "never_given")).toContain("found none with the name");
    expect(await refused("--target-xid", "4000000")).toContain("no commit of 4000000");
    expect(await refused("--latest", "--target-lsn", "0/1")).toContain("got 2");
    expect((await cluster.healthy(10)).healthy).toBe(true);
  });

  test("a replica is made from the backup, without the leader sending the copy", async () => {
    const seen = await cluster.healthy();
    const replica = seen.members.find(({ role }) => role === "replica")?.name ?? "";
    const since = await cluster.onHost(replica, "date +%s");
    await cluster.onHost(
      replica,
      "sudo sh -c 'systemctl stop patroni && rm -rf /var/lib/postgresql/*/main && systemctl start patroni'",
    );
    await cluster.healthy();
    const said = await cluster.onHost(
      replica,
      `sudo journalctl -u patroni --since @${since.trim()} -o cat --no-pager`,
    );
    expect(said).toContain("replica has been created using backup");
    expect(said).not.toContain("created using basebackup");
    const sent = await cluster.superuserSql(
      leaderOf(seen),
      "select count(*) from pg_stat_replication where application_name = 'pg_basebackup'",
    );
    expect(sent).toBe("0");
  });

  test("a test restore tells a good backup from a damaged one", async () => {
    const verify = async () =>
      JSON.parse(await cluster.pgherd("backup", "verify", "--json")) as Verification;
    expect(await verify()).toMatchObject({ ok: true, problem: "" });
    expect(await cluster.onHost("backup1", "cat /var/lib/pgherd/metrics/verify.prom")).toContain(
      'pgherd_backup_verify_ok{cluster="demo"} 1',
    );
    const [newest] = await backups();
    const table = (await cluster.sql(5000, "select pg_relation_filepath('ledger')")).trim();
    const file = `/var/lib/barman/demo/base/${newest?.id}/data/${table}`;
    // The file may be the same as in older backups: only this one is to be damaged.
    await cluster.onHost(
      "backup1",
      `sudo sh -c 'cp -p ${file} ${file}.good && cp --remove-destination -p ${file}.good ${file} && printf damaged | dd of=${file} bs=1 seek=4000 conv=notrunc'`,
    );
    const said = await cluster.pgherdRefuses("backup", "verify", "--json");
    const found = JSON.parse(said) as Verification;
    expect(found.ok).toBe(false);
    expect(found.problem).toMatch(/checksum|damaged/);
    expect((await cluster.status()).backup?.problems.join()).toContain("test restore");
    await cluster.onHost("backup1", `sudo mv ${file}.good ${file}`);
    expect(await verify()).toMatchObject({ ok: true });
  });

  full("a named point, a position and a transaction bring exactly their rows back", async () => {
    await write(10);
    // Numbers of transactions on the timelines that restores have left are given again: this one is beyond all of them.
    await cluster.superuserSql(
      leaderOf(await cluster.healthy()),
      "do $$begin for i in 1..2000 loop perform pg_current_xact_id(); commit; end loop; end$$",
    );
    const xid = await cluster.sql(
      5000,
      "with one as (insert into ledger default values returning 1) select pg_current_xact_id() from one",
    );
    const atXid = await rows();
    await write(10);
    const position = await cluster.superuserSql(
      leaderOf(await cluster.healthy()),
      "select pg_current_wal_lsn()",
    );
    const atPosition = await rows();
    await write(10);
    await cluster.superuserSql(
      leaderOf(await cluster.healthy()),
      "select pg_create_restore_point('before_the_migration')",
    );
    const atName = await rows();
    await write(10);
    await received();
    await restore("--target-name", "before_the_migration");
    await cluster.healthy();
    expect(await rows()).toBe(atName);
    await restore("--target-lsn", position);
    await cluster.healthy();
    expect(await rows()).toBe(atPosition);
    await restore("--target-xid", xid);
    await cluster.healthy();
    expect(await rows()).toBe(atXid);
    await cluster.pgherd("backup", "now");
  });

  full("what a restore has left comes back along its timeline, when that is named", async () => {
    await restore("--target-time", left, "--target-timeline", "1");
    await cluster.healthy();
    expect(await rows()).toBe(100);
    await received();
    await cluster.pgherd("backup", "now");
  });

  full(
    "backups and WAL survive two switchovers and a power cut of the leader in between",
    async () => {
      await write(10);
      const early = await cluster.sql(5000, "select clock_timestamp()");
      const before = await rows();
      await write(10);
      await cluster.superuserSql(leaderOf(await cluster.healthy()), "select pg_switch_wal()");
      await write(10);
      await switchOver();
      await cluster.healthy();
      await write(10);
      const killed = leaderOf(await cluster.healthy());
      await powerOff(LAB, [killed], () => undefined);
      await cluster.otherLeader(killed);
      await write(10);
      await powerOn(LAB, [killed], () => undefined);
      await cluster.healthy();
      await switchOver();
      await cluster.healthy();
      await write(10);
      const at = await cluster.sql(5000, "select clock_timestamp()");
      const then = await rows();
      await write(10);
      await received();
      await comesBackTo(at, then);
      // On a timeline that was left, and has more than the next ones come from.
      await comesBackTo(early, before);
    },
  );

  full(
    "a backup host that was away has no gap in its WAL, and the leader's is bounded meanwhile",
    async () => {
      await powerOff(LAB, ["backup1"], () => undefined);
      await write(10);
      await switchOver(leaderOf(await cluster.status()));
      for (let i = 0; i < 3; i++) {
        await cluster.superuserSql(leaderOf(await cluster.status()), "select pg_switch_wal()");
        await write(10);
      }
      const seen = await cluster.status();
      expect(seen.backup?.slot?.retained).toBeGreaterThan(32 * 2 ** 20);
      expect(seen.backup?.slot?.limit).toBeGreaterThan(0);
      await powerOn(LAB, ["backup1"], () => undefined);
      await received();
      const then = await rows();
      const at = await cluster.sql(5000, "select clock_timestamp()");
      await write(1);
      await received();
      await comesBackTo(at, then);
    },
  );

  full(
    "a tablespace goes back to its place on every member, and is put back by an undoing",
    async () => {
      const members = ["db1", "db2", "db3"];
      const place = "/srv/figures";
      await Promise.all(
        members.map((name) =>
          cluster.onHost(name, `sudo install -d -o postgres -g postgres -m 0700 ${place}`),
        ),
      );
      const leader = leaderOf(await cluster.healthy());
      await cluster.superuserSql(leader, `create tablespace figures location '${place}'`);
      await cluster.superuserSql(leader, "grant create on tablespace figures to public");
      await cluster.sql(5000, "create table figures (id int) tablespace figures");
      await cluster.sql(5000, "insert into figures values (1)");
      await cluster.pgherd("backup", "now");
      await cluster.sql(5000, "insert into figures values (2)");
      const at = await cluster.sql(5000, "select clock_timestamp()");
      await cluster.sql(5000, "insert into figures values (3)");
      await received();
      const figures = () =>
        cluster.sql(5000, "select string_agg(id::text, ' ' order by id) from figures");
      const names = (name: string) =>
        cluster.onHost(
          name,
          "sudo sh -c 'cd /srv && ls -d figures* && readlink /var/lib/postgresql/*/main/pg_tblspc/*'",
        );

      // Somebody else's directory, one in the data, and a name that nobody has.
      const refused = (...more: string[]) =>
        cluster.pgherdRefuses("restore", "--target-time", at, "--yes", ...more);
      expect(await refused("--tablespace", "figures:/root")).toContain(
        "expected a directory of the user postgres, found one of root",
      );
      expect(
        await refused("--tablespace", `figures:/var/lib/postgresql/${VERSIONS[distro]}/main/in`),
      ).toContain("apart from the data directory");
      expect(await refused("--tablespace", "figure:/srv/other")).toContain("figures");
      await cluster.onHost(
        members[0] ?? "",
        "sudo mkdir /srv/small && sudo mount -t tmpfs -o size=1m none /srv/small",
      );
      expect(await refused("--tablespace", "figures:/srv/small/in")).toContain(
        "of free space on /srv/small",
      );
      await cluster.onHost(members[0] ?? "", "sudo sh -c 'umount /srv/small && rmdir /srv/small'");

      const planned = await cluster.planned("restore", "--target-time", at);
      expect(planned).toContain(`puts tablespace figures into ${place}`);
      expect(planned).toContain(`${place}.before-restore-TIME on ${members.join(", ")}`);
      await cluster.pgherdKilled(
        async () => ((await figures().catch(() => "")) === "1 2" ? true : undefined),
        "restore",
        "--target-time",
        at,
        "--yes",
      );
      await cluster.pgherd("restore", "--undo", "--yes");
      await cluster.healthy();
      expect(await figures()).toBe("1 2 3");
      for (const name of members) {
        const found = await names(name);
        expect(found).toContain(`\n${place}`);
        expect(found).not.toContain("before-restore");
      }

      await restore("--target-time", at);
      await cluster.healthy();
      expect(await figures()).toBe("1 2");
      for (const name of members) {
        expect(await names(name)).toMatch(
          /^figures\nfigures\.before-restore-\d{8}T\d{6}Z\n[\s\S]*\/srv\/figures$/m,
        );
      }
      // Another place, from where replicas stream as well; the former one stays as it is.
      await cluster.pgherd("backup", "now");
      await received();
      const served = await serve(LAB, { configFile: cluster.configFile() });
      try {
        const wish = { latest: true, tablespace: "figures:/srv/elsewhere" };
        const query = new URLSearchParams({ ...wish, latest: "true" }).toString();
        const told = await served.call<{ effects: string[]; confirm: string }>(
          "GET",
          `restore?${query}`,
        );
        expect(told.effects.join("\n")).toContain("/srv/elsewhere");
        const { confirm } = told;
        await served.call("POST", "restore", { ...wish, confirm });
      } finally {
        await served.stop();
      }
      await cluster.healthy();
      expect(await figures()).toBe("1 2");
      for (const name of members) expect(await names(name)).toMatch(/\n\/srv\/elsewhere$/m);
      await cluster.sql(5000, "drop table figures");
      await cluster.superuserSql(leaderOf(await cluster.healthy()), "drop tablespace figures");
    },
  );

  test("a restore whose command is killed is told of, and undone with every row", async () => {
    const then = await rows();
    await received();
    const leader = leaderOf(await cluster.healthy());
    const aside = "ls -d /var/lib/postgresql/*/main.before-restore-*";
    const before = await cluster.onHost(leader, `sudo sh -c '${aside} || :'`);
    const moved = async () =>
      (await cluster.onHost(leader, `sudo sh -c '${aside} || :'`)) === before ? undefined : true;
    await cluster.pgherdKilled(moved, "restore", "--latest", "--yes");
    const what = /A restore to the end of the archive.*was cut off: `pgherd restore --undo`/;
    expect((await cluster.status()).problems.join("\n")).toMatch(what);
    expect(await cluster.refused("preview")).toContain("`pgherd restore --undo` puts");
    expect(await cluster.pgherdRefuses("restore", "--latest", "--yes")).toContain("restore --undo");
    await cluster.pgherd("restore", "--undo", "--yes");
    await cluster.healthy();
    expect(await rows()).toBe(then);
    await write(1);
    await cluster.unchanged();
    expect(await cluster.pgherdRefuses("restore", "--undo", "--yes")).toContain(
      "no restore was cut off",
    );
  });

  test("a restore that is undone after it was accepted gives every row back, also to a later restore", async () => {
    const at = await cluster.sql(5000, "select clock_timestamp()");
    await write(5);
    await received();
    const then = await rows();
    const histories = () =>
      cluster.onHost(
        "backup1",
        "sudo sh -c 'cd /var/lib/barman/demo && ls wals streaming | grep history | sort -u'",
      );
    const before = await histories();
    const accepted = async () => ((await histories()) === before ? undefined : true);
    await cluster.pgherdKilled(accepted, "restore", "--target-time", at, "--yes");
    await until("a row of the restored data", 60, async () => {
      await write(1);
      return true;
    });
    expect(await cluster.planned("restore", "--undo")).toMatch(
      /loses what was written since the restored data leads, on db\d for .* of WAL/,
    );
    await cluster.pgherd("restore", "--undo", "--yes");
    await cluster.healthy();
    expect(await rows()).toBe(then);
    if (!FULL) return;
    const later = await cluster.sql(5000, "select clock_timestamp()");
    await write(1);
    await received();
    await comesBackTo(later, then);
  });

  full(
    "missing WAL is found before anything is changed, and damaged WAL ends a restore that puts the old data back",
    async () => {
      await cluster.pgherd("backup", "now");
      await write(10);
      const leader = leaderOf(await cluster.healthy());
      await cluster.superuserSql(leader, "select pg_switch_wal()");
      const at = await cluster.sql(5000, "select clock_timestamp()");
      await write(10);
      await received();
      const then = await rows();
      // The segment that the backup begins in: nothing can be replayed without it.
      const [newest] = await backups();
      const segment = await cluster.superuserSql(
        leader,
        `select pg_walfile_name('${newest?.beginLsn}')`,
      );
      const path = await until("the segment in the archive", 120, async () => {
        const found = await cluster.onHost(
          "backup1",
          `sudo find /var/lib/barman/demo/wals -name ${segment}`,
        );
        return found.trim() || undefined;
      });
      const restoring = (...target: string[]) =>
        cluster.pgherdRefuses("restore", ...target, "--yes");
      await cluster.onHost("backup1", `sudo mv ${path} /var/tmp/`);
      const refused = `expected all WAL since backup ${newest?.id} in /var/lib/barman/demo, found no ${segment}`;
      expect(await restoring("--target-time", at)).toContain(refused);
      expect(await restoring("--latest")).toContain(refused);
      expect(await cluster.pgherdRefuses("backup", "verify")).toContain("Failed");
      await cluster.onHost("backup1", `sudo mv /var/tmp/${segment} ${path}`);
      await cluster.pgherd("backup", "verify");
      await cluster.healthy();

      await cluster.onHost(
        "backup1",
        `sudo sh -c 'cp -p ${path} /var/tmp/ && truncate -s 5000 ${path}'`,
      );
      expect(await restoring("--latest")).toContain(
        "the restore failed; the cluster runs as before",
      );
      await cluster.healthy();
      expect(await rows()).toBe(then);
      await cluster.onHost("backup1", `sudo mv /var/tmp/${segment} ${path}`);
      await cluster.unchanged();
    },
  );

  /** Begins a backup that takes a minute. Returns what comes of it once its copy has begun. */
  const slowBackup = async () => {
    await cluster.onHost(
      "backup1",
      "sudo sh -c 'grep -q bandwidth /etc/barman.d/demo.conf || echo bandwidth_limit=500 >>/etc/barman.d/demo.conf'",
    );
    await cluster.sql(
      5000,
      "drop table if exists ballast; create table ballast as select gen_random_uuid() as one, i from generate_series(1, 600000) i",
    );
    const known = (await backups()).map(({ id }) => id);
    const outcome = cluster.pgherdRefuses("backup", "now");
    await until("a backup that is being taken", 60, async () => {
      const begun = (await backups()).find(
        ({ id, status }) => !known.includes(id) && status === "STARTED",
      );
      return begun && (await cluster.onHost("backup1", "pgrep -c rsync")) ? begun : undefined;
    });
    return { outcome };
  };

  /** Waits until `pgherd status` tells of a backup that failed, then takes one that does not. */
  const failsAndIsTakenAgain = async (why: RegExp) => {
    const told = await until("told of the failure", 180, async () =>
      (await cluster.status()).backup?.problems.find((one) => one.includes("last backup failed")),
    );
    expect(told).toMatch(why);
    await cluster.deploy("--refresh");
    await cluster.pgherd("backup", "now");
    expect((await cluster.healthy()).backup?.problems).toEqual([]);
    await cluster.unchanged();
  };

  full("a backup whose host loses power is told of, and the next one is whole", async () => {
    const { outcome } = await slowBackup();
    await powerOff(LAB, ["backup1"], () => undefined);
    await powerOn(LAB, ["backup1"], () => undefined);
    await outcome;
    await failsAndIsTakenAgain(/it was cut off/);
  });

  full(
    "a backup whose leader loses power fails, and WAL goes on from the next leader",
    async () => {
      const leader = leaderOf(await cluster.healthy());
      const { outcome } = await slowBackup();
      await powerOff(LAB, [leader], () => undefined);
      await cluster.otherLeader(leader);
      expect(await outcome).toMatch(/backup \S+ failed/);
      await powerOn(LAB, [leader], () => undefined);
      await failsAndIsTakenAgain(/failed: failure/);
      await write(10);
      const at = await cluster.sql(5000, "select clock_timestamp()");
      const then = await rows();
      await write(10);
      await received();
      await comesBackTo(at, then);
    },
  );

  full("a backup host whose disk is full loses no WAL, and tells of it", async () => {
    const home = "/var/lib/barman/demo";
    const asRoot = (script: string) => cluster.onHost("backup1", "sudo bash -e", script);
    await received();
    // A small disk in place of the host's own.
    await asRoot(`systemctl stop pgherd-barman.service
mkdir -p /var/tmp/disk
mount -t tmpfs -o mode=0700,size=$(($(du -sm ${home} | cut -f1) + 24))m tmpfs /var/tmp/disk
cp -a ${home}/. /var/tmp/disk/
mount --bind /var/tmp/disk ${home}
systemctl start pgherd-barman.service`);
    await cluster.sql(
      5000,
      "drop table if exists ballast; create table ballast as select gen_random_uuid() as one, i from generate_series(1, 1200000) i",
    );
    expect(await cluster.pgherdRefuses("backup", "now")).toMatch(/failed|did not start/);
    await write(10);
    const at = await cluster.sql(5000, "select clock_timestamp()");
    const then = await rows();
    await write(10);
    const { backup } = await cluster.status();
    expect(backup?.problems.join()).toContain("of free space for backups and WAL");
    expect(backup?.slot?.retained).toBeGreaterThan(32 * 2 ** 20);

    await asRoot("mount -o remount,size=4g /var/tmp/disk");
    // That one has failed is told until the next one, where there was room to note it.
    await received(/^The last backup failed/);
    await cluster.pgherd("backup", "now");
    await comesBackTo(at, then);
    await asRoot(`systemctl stop pgherd-barman.service
umount ${home}
rsync -aH --delete /var/tmp/disk/ ${home}/
umount /var/tmp/disk
systemctl start pgherd-barman.service`);
    await cluster.healthy();
    await cluster.unchanged();
  });

  full("a new cluster begins with a backup of this one, which goes on untouched", async () => {
    const copies = ["copy1", "copy2", "copy3"];
    for (const [i, name] of copies.entries()) await addHost(LAB, name, 201 + i);
    const at = await cluster.sql(5000, "select clock_timestamp()");
    const then = await rows();
    await write(10);
    await received();
    const archive = () =>
      cluster.onHost(
        "backup1",
        "sudo sh -c 'cd /var/lib/barman/demo && ls base; ls wals | grep history || :'",
      );
    const before = await archive();
    const beginningAt = (moment: string) =>
      cluster.variation((settings) => {
        settings.hosts = {
          ...Object.fromEntries(copies.map((name, i) => [name, { address: `10.89.0.${201 + i}` }])),
          backup1: { address: "10.89.0.41" },
        };
        delete settings.cluster.backup;
        delete settings.cluster.loadBalancers;
        Object.assign(settings.cluster, {
          name: "copy",
          members: copies,
          dcs: { kind: "etcd", members: copies },
          firewall: { clients: ["10.89.0.0/24"] },
        });
        settings.cluster.postgresql = {
          ...settings.cluster.postgresql,
          bootstrap: {
            ...{ from: "barman", host: "backup1", cluster: "demo" },
            target: { time: moment },
          },
        };
      });
    const tooEarly = await cluster.another("copy", beginningAt("2020-01-01 00:00:00Z"));
    expect(await tooEarly.refused("up", "--yes", "--skip-preview")).toContain(
      "pgherd:cluster.postgresql.bootstrap.target.time: expected a time that backups and WAL cover",
    );
    const blank = "[ -e /var/lib/pgherd ] || [ -e /etc/patroni ] || echo blank";
    expect(await cluster.onHost("copy1", blank)).toBe("blank\n");
    const copy = await cluster.another("copy", beginningAt(at));
    await copy.deploy();
    const { members } = await copy.healthy();
    expect(members.map(({ role }) => role).sort()).toEqual(["leader", "replica", "sync_standby"]);
    const count = "cd / && sudo -u postgres psql -XAtqc 'select count(*) from ledger' app";
    for (const name of copies) expect(Number(await cluster.onHost(name, count)), name).toBe(then);
    await copy.unchanged();
    const asCopy = (command: string) =>
      cluster.onHost(
        "copy1",
        `sudo -u postgres ssh -F /var/lib/pgherd/ssh-postgres/config backup1 ${command} 2>&1 || :`,
      );
    expect(await asCopy("barman delete demo oldest")).toContain("for reading backups only");
    expect(await archive()).toBe(before);
    await cluster.unchanged();
    expect(await rows()).toBe(then + 10);
    // The way in is shared: one that leaves does not close it for the others.
    await copy.pulumi("destroy", "--yes", "--skip-preview");
    expect(await asCopy("newest")).toContain("Permission denied");
    await cluster.unchanged();
  });

  full(
    "in strict mode, with no replica left, the receiver of backups lets no commit pass",
    async () => {
      const strict = cluster.varying(({ cluster: wanted }) => {
        wanted.replication = { mode: "strict" };
      });
      await strict.deploy();
      const seen = await cluster.healthy();
      const leader = leaderOf(seen);
      const others = seen.members.map(({ name }) => name).filter((name) => name !== leader);
      await Promise.all(others.map((name) => cluster.onHost(name, "sudo systemctl stop patroni")));
      await until("no synchronous replica", 60, async () =>
        (await cluster.superuserSql(leader, "show synchronous_standby_names")) === "*"
          ? true
          : undefined,
      );
      // Whole segments, so that a receiver that reports them could let commits pass.
      const write = cluster.onHost(
        leader,
        'cd / && sudo -u postgres timeout 20 psql -XAtqc "create table must_block as select repeat(\'x\', 1000) from generate_series(1, 60000)" 2>&1 || echo "ended with $?"',
      );
      const receivers = await cluster.superuserSql(
        leader,
        "select string_agg(sync_state, ',') from pg_stat_replication where application_name = 'barman_receive_wal'",
      );
      expect(await write).toContain("ended with 124");
      expect(receivers).not.toBe("");
      await Promise.all(others.map((name) => cluster.onHost(name, "sudo systemctl start patroni")));
      await cluster.healthy();
      await cluster.deploy();
    },
  );
});
