import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { AdoptionSettings } from "../../src/config/schema";
import { down } from "../../src/lab/down";
import { labExec } from "../../src/lab/exec";
import { FULL, full, ROOT } from "./harness";
import { LabCluster, until, type StackSettings } from "./lab-cluster";
import { BareServer, KEPT } from "./bare-server";
import { killedAfterEachChange } from "./interruption";
import { OddServer } from "./odd-server";
import { expectRows } from "./rows";
import { Shop, type ShopReport } from "./shop";
import { stranger } from "./stranger";
import { Subscriber } from "./subscriber";

// One server that somebody has set up by hand, with clients on it, becomes a cluster, step by step, and stands alone again.

const LAB = process.env.PGHERD_TEST_LAB ?? "t-migration";
const DATA = "/var/lib/postgresql/17/main";
const STACK = join(ROOT, "stacks/Pulumi.migration.yaml");
const OLD_ADDRESS = "postgresql://shop@10.89.0.11:5432/shop";
const ENTRY_POINT = "postgresql://shop@10.89.0.100:5000/shop";

/** Dozens of runs, one after the other, on a machine that others use too. */
const MANY_RUNS = { timeout: 3_600_000 };

const lab = new LabCluster(LAB, { configFile: STACK });
const subscriber = new Subscriber(lab);

/** The same stack with another part of its migration, or more. */
function migrating(
  changes: Partial<AdoptionSettings>,
  change: (settings: StackSettings) => void = () => {},
): LabCluster {
  return lab.varying((settings) => {
    settings.cluster.migration = { from: "db1", until: "prepared", ...changes };
    change(settings);
  });
}

const asPostgres = (sql: string, host = "db1", database = "postgres") =>
  lab.superuserSql(host, sql, database);

/** Which process runs the server, since when, and what it was told: the same as long as nobody has restarted it. */
const serverLife = () => lab.onHost("db1", `sudo sed -n '1p;3p' ${DATA}/postmaster.pid`);

/** Everything of the server that a look must leave alone. */
const fingerprint = () =>
  lab.onHost(
    "db1",
    `sudo sh -c 'find /etc ${DATA}/*.conf -type f -exec stat -c "%n %i %Y %Z" {} + | sort
      ls /etc/systemd/system; dpkg -l | wc -l; cat ${DATA}/postmaster.pid'`,
  );

/** Which of its ports the production host lets a machine in to that has no part in the cluster. */
async function openToStrangers(): Promise<number[]> {
  const ports = ["--ports", "2379,2380,5432,8008"];
  const scan = [join(ROOT, "test/lab/scan-ports.cjs"), "10.89.0.11", ...ports];
  return JSON.parse(await labExec(LAB, [process.execPath, ...scan])) as number[];
}

/** Goes back as a person does, with clients that use the old address as soon as it is there. */
async function goBack(shop: Shop, cluster: LabCluster): Promise<void> {
  const back = cluster.pgherd("migration", "rollback", "--yes");
  await until("the old address to let clients in", 120, async () => {
    const connect = `require("net").connect({ host: "10.89.0.11", port: 5432, timeout: 2000 })
      .on("connect", () => process.exit(0)).on("timeout", () => process.exit(1))`;
    const tried = [process.execPath, "-e", connect];
    return (await labExec(LAB, tried).catch(() => undefined)) === undefined ? undefined : true;
  });
  shop.move(OLD_ADDRESS);
  await back;
}

/** Another member leads, and the server that follows it now confirms no commits. */
async function ledByAnother(cluster: LabCluster): Promise<void> {
  await cluster.healthy();
  await cluster.pgherd("switchover", "--yes");
  await cluster.healthy();
  // Whoever confirms commits while it is away goes on doing so.
  await lab.onHost("db1", "sudo systemctl restart patroni");
  const { members } = await cluster.healthy();
  expect(members.find(({ name }) => name === "db1")?.role).toBe("replica");
}

beforeAll(async () => {
  await stranger(lab, "trixie", FULL ? 50 : 2);
  await subscriber.subscribe("10.89.0.11", 5432);
}, 1_200_000);

afterAll(() => (process.env.PGHERD_TEST_KEEP ? undefined : down(LAB)));

describe("a server that runs already", () => {
  test("is described by a preview that changes nothing of it", async () => {
    const before = await fingerprint();
    const said = await lab.pulumi("preview");
    expect(said).toContain("The server");
    expect(said).toContain("/etc/postgresql/17/main/extra/disks.conf");
    expect(said).toContain(
      "of these only in postgresql.auto.conf: max_slot_wal_keep_size, work_mem",
    );
    expect(said).toContain("wal_log_hints: off → on (restart): pg_rewind needs it");
    expect(said).toContain("physical slot archive_host");
    expect(said).toContain("one restart once the replicas stream (wal_log_hints)");
    expect(said).toContain(
      "from prepared on, ports 2379, 2380, 8008 of db1 are for the cluster alone;",
    );
    expect(await fingerprint()).toBe(before);
  });

  test("is refused with all reasons at once where it cannot be migrated, and nothing is touched", async () => {
    const before = await fingerprint();
    await asPostgres("create role replicator; create role barman");
    const said = await migrating({}, (settings) => {
      settings.cluster.replication = { mode: "strict" };
      settings.hosts = { ...settings.hosts, backup1: { address: "10.89.0.41" } };
      settings.cluster.backup = { host: "backup1" };
    }).refused("preview");
    expect(said).toContain("db1: expected no role replicator yet");
    expect(said).toContain("db1: expected no role barman yet");
    expect(said).toContain('Migrate with "synchronous", then change it');
    await asPostgres("drop role replicator; drop role barman");
    const shut = await migrating({}, ({ cluster }) => {
      cluster.postgresql = { version: 17, parameters: { session_preload_libraries: "nosuch" } };
    }).refused("preview");
    expect(shut).toContain('could not access file "nosuch"');
    expect(await fingerprint()).toBe(before);
  });

  test("becomes a cluster step by step, while clients write and read, and loses no row", async () => {
    const shop = new Shop(LAB, OLD_ADDRESS);
    const started = await serverLife();
    let report: ShopReport;
    try {
      shop.step("prepared");
      await migrating({ until: "prepared" }).deploy();
      expect(await serverLife()).toBe(started);
      expect(await lab.onHost("db1", "sudo etcdctl endpoint health 2>&1")).toContain("is healthy");
      expect(await openToStrangers()).toEqual([5432]);
      expect(await migrating({ until: "prepared" }).steps()).toBe("prepared, then adopted");

      shop.step("adopted");
      await migrating({ until: "adopted" }).deploy();
      expect(await migrating({ until: "adopted" }).steps()).toBe("adopted, then replicated");
      expect(await serverLife()).toBe(started);
      expect((await lab.onHost("db1", "systemctl is-enabled postgresql@17-main || :")).trim()).toBe(
        "masked",
      );
      await migrating({ until: "adopted" }).unchanged();
      expect(await lab.onHost("db1", "sudo curl -s http://10.89.0.11:8008/")).toContain(
        '"running"',
      );
      expect(await openToStrangers()).toEqual([5432]);
      expect(await migrating({ until: "prepared" }).refused("preview")).toContain(
        "expected adopted or a later step, which was begun, got prepared",
      );
      await subscriber.catchesUp("db1");

      shop.step("replicated");
      await migrating({ until: "replicated" }).deploy();
      await migrating({ until: "replicated" }).unchanged();
      expect(await migrating({ until: "replicated" }).steps()).toBe("replicated, then balanced");

      shop.step("balanced");
      await migrating({ until: "balanced" }).deploy();
      expect(await migrating({ until: "balanced" }).steps()).toBe("backedUp, then cutOver");
      expect(await asPostgres("select pg_is_in_recovery()")).toBe("f");

      shop.step("cutOver");
      shop.move(ENTRY_POINT);
      await subscriber.move("10.89.0.100", 5000);
      await migrating({ until: "cutOver" }).deploy();
      await migrating({ until: "cutOver" }).healthy();
      await migrating({ until: "cutOver" }).unchanged();
      expect(await migrating({ until: "cutOver" }).steps()).toBe("cutOver, then nothing");
      expect(await openToStrangers()).toEqual([]);
    } finally {
      shop.step("after");
      report = await shop.close();
    }
    console.log("migration", JSON.stringify(report.steps));
    await expectRows(lab, "db1", report);
    expect(Object.keys(report.steps)).toContain("cutOver");
    await subscriber.catchesUp("db1");
    const rows = await asPostgres("select count(*) from orders", "db1", "shop");
    expect(await subscriber.count()).toBe(Number(rows));
  });

  test("keeps its settings, rules and slots on all members", async () => {
    for (const host of ["db1", "db2", "db3"]) {
      const shown = async (name: string) => await asPostgres(`show ${name}`, host);
      expect(await shown("random_page_cost"), host).toBe("1.3");
      expect(await shown("work_mem"), host).toBe("6MB");
      expect(await shown("max_connections"), host).toBe("120");
      expect(await shown("shared_preload_libraries"), host).toBe("pg_stat_statements");
      // The server's own line, and those for who comes through the balancers, which hold the same.
      const rules = await asPostgres(
        "select string_agg(distinct auth_method, ' '), count(*) filter (where netmask = '255.255.255.0') from pg_hba_file_rules where 'auditor' = any(user_name)",
        host,
      );
      expect(rules.trim(), host).toBe("reject|1");
    }
    expect(
      (
        await asPostgres(
          "select count(*) from pg_replication_slots where slot_name = 'archive_host'",
        )
      ).trim(),
    ).toBe("1");
  });
});

describe("the way back", () => {
  test("leaves the server standing alone on its data, with the configuration and the unit that it had", async () => {
    const shop = new Shop(LAB, ENTRY_POINT);
    shop.step("before");
    let report: ShopReport;
    try {
      shop.step("rollback");
      await goBack(shop, migrating({ until: "cutOver" }));
      shop.step("after");
    } finally {
      report = await shop.close();
    }
    console.log("rollback", JSON.stringify(report.steps));
    expect((await lab.onHost("db1", "systemctl is-active postgresql@17-main")).trim()).toBe(
      "active",
    );
    expect((await lab.onHost("db1", "systemctl is-active patroni || :")).trim()).not.toBe("active");
    expect(await asPostgres("show config_file")).toBe("/etc/postgresql/17/main/postgresql.conf");
    const back = migrating({ until: "cutOver", rollback: true });
    expect(await back.status()).toMatchObject({
      ...{ health: "healthy", problems: [], members: [] },
      standalone: { host: "db1", port: 5432, state: "running" },
    });
    expect(await back.pgherdRefuses("switchover", "--yes")).toContain("db1 stands alone");
    expect(await lab.onHost("db1", "sudo nft list tables")).not.toContain("pgherd");
    expect(
      (
        await asPostgres(
          "select count(*) from pg_roles where rolname in ('replicator', 'rewinder')",
        )
      ).trim(),
    ).toBe("0");
    expect(
      (
        await asPostgres(
          "select string_agg(slot_name, ',' order by slot_name) from pg_replication_slots",
        )
      ).trim(),
    ).toBe("archive_host,orders");
    await subscriber.move("10.89.0.11", 5432);
    await subscriber.catchesUp("db1");
    expect((await lab.onHost("db1", "ls /etc/postgresql/17/main")).split("\n")).not.toContain(
      "postgresql.base.conf",
    );
  });

  test("lets the migration start again", async () => {
    await migrating({ until: "balanced", rollback: false }).deploy();
    await migrating({ until: "balanced" }).healthy();
  });
});

/** A server that was built by hand, and everything about it is unusual. */
const BY_HAND = `set -e
cp -a /usr/lib/postgresql/17 /usr/local/pgsql
install -d -o postgres -g postgres /srv/data
cd /
runuser -u postgres -- /usr/local/pgsql/bin/initdb -D /srv/data/shop -U chief -k --locale=C.UTF-8 >/dev/null
echo "port = 5433
unix_socket_directories = '/tmp'
listen_addresses = '0.0.0.0'" >>/srv/data/shop/postgresql.conf
echo "postgres_is_chief postgres chief" >>/srv/data/shop/pg_ident.conf
sed -i 's/^local *all *all .*/local all chief peer map=postgres_is_chief/' /srv/data/shop/pg_hba.conf
systemd-run -q --scope runuser -u postgres -- /usr/local/pgsql/bin/pg_ctl -w -D /srv/data/shop -l /srv/data/log start >/dev/null
runuser -u postgres -- psql -qXAt -h /tmp -p 5433 -U chief -d postgres -c 'create table kept as select generate_series(1, 1000) as id'
`;

/** Blank hosts, and on the first of them that server. */
async function builtByHand(): Promise<void> {
  await lab.boot({ topology: "standard", distro: "trixie" });
  // Only its programs are wanted: the package's own server stays off.
  await lab.onHost(
    "db1",
    "sudo sh -c 'mkdir -p /etc/postgresql-common; echo create_main_cluster = false >/etc/postgresql-common/createcluster.conf; apt-get -qq update; apt-get -qq -y install postgresql >/dev/null'",
  );
  await lab.onHost("db1", "cat >by-hand.sh; sudo sh by-hand.sh", BY_HAND);
}

const ofChief: Partial<AdoptionSettings> = { superuser: "chief" };
const onItsPort = ({ cluster }: StackSettings) => {
  cluster.postgresql = { version: 17, port: 5433 };
};

/** Runs SQL on the server that was built by hand. */
async function asChief(sql: string): Promise<string> {
  const psql =
    "cd / && sudo -u postgres psql -qXAt -v ON_ERROR_STOP=1 -h /tmp -p 5433 -U chief -d postgres";
  return (await lab.onHost("db1", psql, `${sql}\n`)).trim();
}

describe("a server that was built by hand", () => {
  full(
    "is taken over where it is, without a restart, and stands alone again afterwards",
    async () => {
      await builtByHand();
      const byHand = (until: AdoptionSettings["until"], rollback = false) =>
        migrating({ ...ofChief, until, rollback }, onItsPort);
      const life = () => lab.onHost("db1", "sudo sed -n '1p;3p' /srv/data/shop/postmaster.pid");
      const started = await life();
      await byHand("balanced").deploy();
      expect(await life()).toBe(started);
      const seen = await byHand("balanced").healthy();
      expect(seen.members.map(({ role }) => role).sort()).toEqual([
        "leader",
        "replica",
        "sync_standby",
      ]);
      await byHand("balanced").unchanged();
      await byHand("balanced", true).deploy();
      expect(await life()).toBe(started);
      expect(await asChief("select count(*) from kept")).toBe("1000");
    },
  );
});

const SLOTS = "select slot_name, slot_type, plugin, database from pg_replication_slots order by 1";

describe("a server that is unlike others", () => {
  const odd = (until: AdoptionSettings["until"], rollback = false) =>
    migrating({ ...ofChief, until, rollback }, onItsPort);
  const server = new OddServer(lab);

  full(
    "is refused with remedies, taken over with all that it has, and stands alone again",
    async () => {
      await server.boot();
      const refused = await odd("balanced").refused("preview");
      for (const what of ["/var/log/shop", "group dba", "/srv/fast", "shop/environment"])
        expect(refused).toContain(what);
      for (const what of ["de_DE.UTF-8", "expected no prepared transaction, found 1"])
        expect(refused).toContain(what);
      await server.prepareCopies();
      await server.othersCatchUp();
      const before = await server.likeness("db1");
      const rules = await server.rules("db1");
      const slots = await server.ask("db1", SLOTS);
      const told = await odd("balanced").pulumi("preview");
      expect(told).toContain("shared_buffers: it runs with 96MB, its files say 112MB; 96MB comes");
      expect(told).toContain("fsync is off");
      // The stack's commits wait for a replica, whatever the server was told when it had none.
      expect(told).toContain("synchronous_commit: local → on");
      const promised = before.replace("synchronous_commit|local", "synchronous_commit|on");
      expect(promised).not.toBe(before);
      expect(told).toContain("port 5432 (/var/lib/postgresql/17/main)");
      expect(told).toContain("logical slot idle_decoding of shop");
      expect(told).toContain("standby follower");
      // The replicas would be restarted until then, to copy the subscriber's slot.
      await server.endTransaction();
      // The second time it finds what the first has left.
      for (let time = 0; time < 2; time++) {
        expect(await odd("balanced").deploy()).toContain(
          "logical slots idle_decoding, idle_output begins before",
        );
        await odd("balanced").unchanged();
        for (const host of ["db1", "db2", "db3"]) {
          expect(await server.likeness(host, { role: "postgres" }), host).toBe(promised);
          expect(await server.rules(host, { role: "postgres" }), host).toContain(rules);
        }
        for (const user of ["old", "new one", "Big Boss"])
          expect(await server.letsIn(user, "shop"), user).toBe(true);
        expect(await server.letsIn("new one", "My Shop")).toBe(false);
        await server.othersCatchUp();
        await odd("balanced", true).deploy();
        expect(await server.rules("db1")).toBe(rules);
        expect(await server.ask("db1", "show synchronous_standby_names")).toContain("my standby");
        expect(await server.ask("db1", SLOTS)).toBe(slots);
        await server.othersCatchUp();
        expect(await lab.onHost("db1", "systemctl is-active postgresql@17-main")).toContain(
          "active",
        );
        // It was restarted by itself, and has what waited for that.
        await lab.onHost(
          "db1",
          "sudo sed -i s/112MB/96MB/ /etc/postgresql/17/shop/postgresql.conf",
        );
        await lab.onHost("db1", "sudo systemctl restart postgresql@17-shop");
      }
      expect(
        await lab.onHost("db1", "sudo -u postgres psql -p 5432 -Atc 'table another'"),
      ).toContain("1");
    },
  );
});

describe("a server that was tuned to load data", () => {
  const server = new BareServer(lab);

  full(
    "is restarted once for its replicas, keeps what it runs with, and stands alone again as its files say",
    async () => {
      await server.boot();
      const files = await server.files();
      const told = await migrating({ until: "balanced" }).pulumi("preview");
      expect(told).toContain("wal_level: minimal → replica (restart at once)");
      expect(told).toMatch(/max_wal_senders: 0 → \d+ \(restart at once\)/);
      expect(told).toContain("shared_buffers: it runs with 256MB, its files say 300MB");
      for (const name of ["fsync", "full_page_writes"])
        expect(told).toContain(`${name} is off, on all members: a power cut damages the data`);
      expect(told).toContain("one restart when it is adopted");
      await migrating({ until: "balanced" }).deploy();
      await migrating({ until: "balanced" }).unchanged();
      for (const host of ["db1", "db2", "db3"])
        expect(await server.likeness(host), host).toBe(KEPT);
      await migrating({ until: "balanced", rollback: true }).deploy();
      // It was restarted by itself.
      expect(await server.likeness("db1")).toBe(KEPT.replace("256MB", "300MB"));
      expect(await server.replication()).toBe("minimal, 0");
      expect(await server.files()).toBe(files);
    },
  );

  full("is refused by name as long as what waits for a restart could not start", async () => {
    await server.boot();
    for (const [setting, value] of [
      ["superuser_reserved_connections", "5000"],
      ["shared_buffers", "900GB"],
      ["shared_preload_libraries", "nosuch"],
    ] as const) {
      await asPostgres(`alter system set ${setting} = '${value}'`);
      const refused = await migrating({}).refused("preview");
      expect(refused.replace(/\s+/g, " ")).toContain(`ALTER SYSTEM RESET ${setting};`);
      await asPostgres(`alter system reset ${setting}`);
    }
    const inStack = ({ cluster }: StackSettings) => {
      cluster.postgresql = { version: 17, parameters: { shared_preload_libraries: "nosuch" } };
    };
    expect(await migrating({}, inStack).refused("preview")).toContain("nosuch");
  });
});

describe("a server on Debian 12", () => {
  full("becomes a cluster and stands alone again, and loses no row", async () => {
    const version = (settings: StackSettings) => {
      settings.cluster.postgresql = { version: 15 };
    };
    await stranger(lab, "bookworm", 5);
    const shop = new Shop(LAB, OLD_ADDRESS);
    let report: ShopReport;
    try {
      shop.step("balanced");
      await migrating({ until: "balanced" }, version).deploy();
      shop.step("cutOver");
      shop.move(ENTRY_POINT);
      await migrating({ until: "cutOver" }, version).deploy();
      await migrating({ until: "cutOver" }, version).healthy();
      await migrating({ until: "cutOver" }, version).unchanged();
      shop.step("rollback");
      await goBack(shop, migrating({ until: "cutOver" }, version));
      shop.step("after");
    } finally {
      report = await shop.close();
    }
    console.log("Debian 12", JSON.stringify(report.steps));
    await expectRows(lab, "db1", report);
    expect((await lab.onHost("db1", "systemctl is-active postgresql@15-main")).trim()).toBe(
      "active",
    );
  });
});

describe("a migration with a backup host", () => {
  const withBackups = (
    changes: Partial<AdoptionSettings>,
    vary: (settings: StackSettings) => void = () => {},
  ) =>
    migrating(changes, (settings) => {
      settings.hosts = { ...settings.hosts, backup1: { address: "10.89.0.41" } };
      settings.cluster.backup = { host: "backup1" };
      vary(settings);
    });

  /** Goes back to between two rows, and finds the first one only. */
  async function restored(
    cluster: LabCluster,
    sql: (text: string) => Promise<string>,
  ): Promise<void> {
    await sql("create table moments as select 1 as id");
    const at =
      (await sql("select pg_sleep(1), clock_timestamp(), pg_sleep(1)")).split("|")[1] ?? "";
    await sql("insert into moments values (2)");
    await cluster.pgherd("restore", "--target-time", at, "--yes");
    expect(await sql("select id from moments")).toBe("1");
    await cluster.unchanged();
    expect((await cluster.healthy()).backup?.problems).toEqual([]);
  }

  full(
    "takes backups from the step backedUp on, is restored to a moment, and goes back from there",
    async () => {
      await stranger(lab, "trixie", 1);
      await withBackups({ until: "balanced" }).deploy();
      const cluster = withBackups({ until: "backedUp" });
      await cluster.deploy();
      await cluster.unchanged();
      const { backup } = await cluster.healthy();
      expect(backup?.problems).toEqual([]);
      expect(JSON.parse(await cluster.pgherd("backup", "list", "--json"))).toMatchObject([
        { status: "DONE" },
      ]);
      await restored(cluster, asPostgres);
      await withBackups({ until: "backedUp", rollback: true }).deploy();
      expect((await lab.onHost("db1", "systemctl is-active postgresql@17-main")).trim()).toBe(
        "active",
      );
      expect(await asPostgres("select slot_name from pg_replication_slots")).toBe("archive_host");
      expect(await asPostgres("select rolname from pg_roles where rolname ~ 'barman'")).toBe("");
      expect(await asPostgres("select id from moments")).toBe("1");
      expect(await lab.onHost("backup1", "sudo ls /var/lib/barman/shop/base")).not.toBe("");
    },
  );

  full("is restored where a server that was built by hand has its data", async () => {
    await builtByHand();
    // Until the clients have moved, it leads.
    const cluster = withBackups({ ...ofChief, until: "backedUp" }, onItsPort);
    await cluster.deploy();
    await restored(cluster, asChief);
    expect(await asChief("show data_directory")).toBe("/srv/data/shop");
    expect(await lab.onHost("db1", "sudo ls /srv/data")).toContain("shop.before-restore-");
  });
});

describe("a migration that is interrupted", () => {
  const steps = ["prepared", "adopted", "replicated", "balanced", "cutOver"] as const;

  full.each(["provider", "engine"] as const)(
    "is finished although the %s is killed once after each of its changes",
    MANY_RUNS,
    async (how) => {
      await stranger(lab, "trixie", 1);
      const shop = new Shop(LAB, OLD_ADDRESS);
      let report: ShopReport;
      try {
        // What comes before is done on any new cluster too, and interrupted there.
        await migrating({ until: "prepared" }).deploy();
        const killed = await killedAfterEachChange(migrating({ until: "balanced" }), how);
        expect(killed).toContain("db1 masking the server's unit");
        await migrating({ until: "balanced" }).unchanged();
        await migrating({ until: "balanced" }).healthy();
      } finally {
        report = await shop.close();
      }
      await expectRows(lab, "db1", report);
    },
  );

  full.each(steps)(
    "goes back from %s, also when the way back is killed after each change",
    MANY_RUNS,
    async (step) => {
      await stranger(lab, "trixie", 1);
      const started = await serverLife();
      await migrating({ until: step }).deploy();
      if (step === "cutOver") await ledByAnother(migrating({ until: step }));
      await killedAfterEachChange(migrating({ until: step, rollback: true }), "provider");
      expect((await lab.onHost("db1", "systemctl is-active postgresql@17-main")).trim()).toBe(
        "active",
      );
      expect((await lab.onHost("db1", "systemctl is-enabled postgresql")).trim()).toBe("enabled");
      expect(await asPostgres("show config_file")).toBe("/etc/postgresql/17/main/postgresql.conf");
      expect(await asPostgres("show work_mem")).toBe("6MB");
      if (step === "prepared" || step === "adopted") expect(await serverLife()).toBe(started);
    },
  );
});
