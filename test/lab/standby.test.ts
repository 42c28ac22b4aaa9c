import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { FollowingSettings } from "../../src/config/schema";
import { down } from "../../src/lab/down";
import { FULL, full, ROOT } from "./harness";
import { LabCluster, leaderOf, type StackSettings } from "./lab-cluster";
import { BareServer, KEPT } from "./bare-server";
import { killedAfterEachChange } from "./interruption";
import { OddServer } from "./odd-server";
import { expectRows } from "./rows";
import { Shop, type ShopReport } from "./shop";
import { stranger } from "./stranger";

// One server on which nothing may be installed, with clients on it, is followed by a new cluster, which then takes its place.

const LAB = process.env.PGHERD_TEST_LAB ?? "t-standby";
const REPLICATION_PASSWORD = "battery-staple";
const STACK = join(ROOT, "stacks/Pulumi.migration.yaml");
const OLD_ADDRESS = "postgresql://shop@10.89.0.11:5432/shop";
const ENTRY_POINT = "postgresql://shop@10.89.0.100:5000/shop";
/** Dozens of runs, one after the other, on a machine that others use too. */
const MANY_RUNS = { timeout: 3_600_000 };
const VERSIONS = { trixie: 17, bookworm: 15 } as const;
type Distro = keyof typeof VERSIONS;

const lab = new LabCluster(LAB, { configFile: STACK });

/** db1 has the old server; the cluster is made of the other hosts. */
function following(
  changes: Partial<FollowingSettings>,
  distro: Distro = "trixie",
  change: (settings: StackSettings) => void = () => {},
): LabCluster {
  return lab.varying((settings) => {
    const { cluster } = settings;
    cluster.postgresql = { version: VERSIONS[distro] };
    cluster.members = ["db2", "db3"];
    cluster.dcs = { kind: "etcd", members: ["db2", "db3", "lb1"] };
    cluster.migration = { method: "standbyCluster", from: "db1", ...changes };
    settings.migrationPassword = REPLICATION_PASSWORD;
    change(settings);
  });
}

const asPostgres = (sql: string, host = "db1", database = "postgres") =>
  lab.superuserSql(host, sql, database);

/** What the owner of the old server adds there, as the preview tells him. */
async function prepare(
  ask: (sql: string) => Promise<string> = asPostgres,
  file = "/etc/postgresql/*/main/pg_hba.conf",
): Promise<void> {
  await ask(
    `set password_encryption = 'scram-sha-256'; create role replicator login replication password '${REPLICATION_PASSWORD}'`,
  );
  const lines = ["10.89.0.12", "10.89.0.13"].map(
    (address) => `1i host replication replicator ${address}/32 scram-sha-256`,
  );
  await lab.onHost("db1", `sudo sed -i ${lines.map((line) => `-e '${line}'`).join(" ")} ${file}`);
  await ask("select pg_reload_conf()");
}

/** Everything on the host of the old server that stays as it is. */
const files = () =>
  lab.onHost(
    "db1",
    `sudo sh -c 'find /etc /usr/lib/systemd -type f -exec stat -c "%n %i %Y %Z" {} + | sort
      dpkg -l | wc -l; sed -n "1p;3p" /var/lib/postgresql/*/main/postmaster.pid'`,
  );

/** Whether the old server lets clients in. */
const letsIn = async () =>
  (await asPostgres(
    "select bool_and(datallowconn) from pg_database where datname <> 'template0'",
  )) === "t" && (await asPostgres("select max(datconnlimit) from pg_database")) === "-1";

afterAll(() => (process.env.PGHERD_TEST_KEEP ? undefined : down(LAB)));

describe("a server on which nothing may be installed", () => {
  beforeAll(() => stranger(lab, "trixie", FULL ? 50 : 2), 1_200_000);

  test("is refused with the lines that its owner has to add, and nothing is touched", async () => {
    const before = await files();
    const said = await following({}).refused("preview");
    expect(said).toContain("CREATE ROLE replicator LOGIN REPLICATION PASSWORD '…';");
    expect(said).toContain("host replication replicator 10.89.0.12/32 scram-sha-256");
    expect(said).not.toContain(REPLICATION_PASSWORD);
    expect(await files()).toBe(before);
    await prepare();
  });

  test("is followed by a cluster, which takes its place without losing a row", async () => {
    const before = await files();
    const told = await following({}).pulumi("preview");
    expect(told).toContain("none until cutOver; then some seconds");
    expect(told).toContain("Stays with it");
    const shop = new Shop(LAB, OLD_ADDRESS, ENTRY_POINT);
    let report: ShopReport;
    try {
      shop.step("balanced");
      await following({ until: "balanced" }).deploy();
      await following({ until: "balanced" }).unchanged();
      expect(await following({ until: "balanced" }).steps()).toBe("balanced, then cutOver");
      expect(await asPostgres("select pg_is_in_recovery()", "db2")).toBe("t");
      expect(await letsIn()).toBe(true);

      shop.step("cutOver");
      const said = await following({}).deploy();
      expect(said).toMatch(/took the place of db1; no writes for \d/);
      await following({}).healthy();
      await following({}).unchanged();
      expect(await following({}).steps()).toBe("cutOver, then nothing");
    } finally {
      shop.step("after");
      report = await shop.close();
    }
    console.log("standby cluster", JSON.stringify(report.steps));
    await expectRows(lab, leaderOf(await following({}).status()), report);
    expect(report.steps.cutOver?.writes).toBeGreaterThan(0);
    expect(await letsIn()).toBe(false);
    expect(await lab.pulumi("stack", "export")).not.toContain(REPLICATION_PASSWORD);
    expect(await files()).toBe(before);
    expect(await asPostgres("select slot_name from pg_replication_slots")).toBe("archive_host");
    expect(await asPostgres("show work_mem", "db2")).toBe("6MB");
  });

  test("is not gone back to once rows may have been written beside it, nor followed again", async () => {
    const said = await following({ rollback: true }).refused("preview");
    expect(said).toContain("rows that were written since are not on db1, and would be lost");
    const back = await following({ until: "balanced" }).refused("preview");
    expect(back).toContain("expected cutOver, since the cluster has taken the old server's place");
    await following({}).healthy();
  });
});

describe("a cluster that follows a server", () => {
  full.each(["trixie", "bookworm"] as const)(
    "takes its place on %s although the provider is killed once after each change",
    MANY_RUNS,
    async (distro) => {
      await stranger(lab, distro, 1);
      await prepare();
      // What comes before, and the load balancers, are made for any new cluster too, and interrupted there.
      await following({ until: "prepared" }, distro).deploy();
      const shop = new Shop(LAB, OLD_ADDRESS, ENTRY_POINT);
      let report: ShopReport;
      try {
        const begun = following({ until: "replicated" }, distro);
        expect(await killedAfterEachChange(begun, "provider")).toContain("db1 reserving the WAL");
        await following({ until: "balanced" }, distro).deploy();
        const killed = await killedAfterEachChange(following({}, distro), "provider");
        expect(killed).toContain("db1 stopping writes");
        expect(killed.join()).toMatch(/db[23] promoting/);
        await following({}, distro).healthy();
        await following({}, distro).unchanged();
      } finally {
        report = await shop.close();
      }
      await expectRows(lab, leaderOf(await following({}, distro).status()), report);
    },
  );

  full("has its backups taken once it has taken the place", async () => {
    await stranger(lab, "trixie", 1);
    await prepare();
    const withBackups = (changes: Partial<FollowingSettings>) =>
      following(changes, "trixie", (settings) => {
        settings.hosts = { ...settings.hosts, backup1: { address: "10.89.0.41" } };
        settings.cluster.backup = { host: "backup1" };
      });
    await withBackups({ until: "balanced" }).deploy();
    await withBackups({ until: "balanced" }).unchanged();
    await withBackups({}).deploy();
    await withBackups({}).unchanged();
    const { backup } = await withBackups({}).healthy();
    expect(backup?.problems).toEqual([]);
    const taken = await withBackups({}).pgherd("backup", "list", "--json");
    expect(JSON.parse(taken)).toMatchObject([{ status: "DONE" }]);
  });

  full.each(["prepared", "replicated", "balanced"] as const)(
    "lets go of it from %s, also when that is killed after each change, and may begin again",
    MANY_RUNS,
    async (step) => {
      await stranger(lab, "trixie", 1);
      await prepare();
      await following({ until: step }).deploy();
      await killedAfterEachChange(following({ until: step, rollback: true }), "provider");
      expect(await asPostgres("select slot_name from pg_replication_slots")).toBe("archive_host");
      expect(await letsIn()).toBe(true);
      await following({}).deploy();
      await following({}).healthy();
    },
  );
});

describe("a server that is unlike others", () => {
  const server = new OddServer(lab);
  const odd = (changes: Partial<FollowingSettings>) =>
    following({ superuser: "chief", port: 5433, ...changes });
  /** Its files, its units, and since when it runs: nothing may differ for all that follows it. */
  const state = () =>
    lab.onHost(
      "db1",
      `sudo sh -c 'find /etc /srv/pg/*/*.conf /usr/lib/systemd -type f -exec stat -c "%n %i %Y %Z" {} + | sort
        dpkg -l | wc -l; sed -n "1p;3p" /srv/pg/shop/postmaster.pid /var/lib/postgresql/17/main/postmaster.pid'`,
    );
  const slots = () =>
    server.ask(
      "db1",
      "select slot_name, slot_type, plugin, database from pg_replication_slots order by 1",
    );

  full(
    "is followed with all that it has, let go of, followed again, and replaced",
    { timeout: 1_800_000 },
    async () => {
      await server.boot();
      const refused = await odd({ until: "balanced" }).refused("preview");
      for (const what of ["/var/log/shop", "group dba", "/srv/fast", "shop/environment"])
        expect(refused).toContain(what);
      for (const what of ["de_DE.UTF-8", "expected no prepared transaction, found 1"])
        expect(refused).toContain(what);
      await server.prepareCopies();
      // Its owner knows that he has made this database read-only.
      await prepare(
        (sql) => server.ask("db1", `set default_transaction_read_only = off; ${sql}`),
        "/etc/postgresql/17/shop/pg_hba.conf",
      );
      await server.othersCatchUp();
      const before = await server.likeness("db1");
      const rules = await server.rules("db1");
      const files = await state();
      const known = await slots();
      const told = await odd({ until: "balanced" }).pulumi("preview");
      expect(told).toContain("logical slot idle_decoding of shop");
      expect(told).toContain("passwords stored as MD5");
      // What the stack promises of a commit is kept, whatever the server did.
      expect(told).toContain("synchronous_commit: local → on");
      const promised = before.replace("synchronous_commit|local", "synchronous_commit|on");
      const alike = async () => {
        for (const host of ["db2", "db3"]) {
          const there = { role: "postgres", port: 5432 };
          expect(await server.likeness(host, there), host).toBe(promised);
          expect(await server.rules(host, there), host).toContain(rules);
        }
      };
      // The second time it finds what the first has left.
      for (let time = 0; time < 2; time++) {
        await odd({ until: "balanced" }).deploy();
        await odd({ until: "balanced" }).unchanged();
        await alike();
        await server.othersCatchUp();
        if (time > 0) break;
        await odd({ until: "balanced", rollback: true }).deploy();
        expect(await state()).toBe(files);
        expect(await slots()).toBe(known);
        expect(await server.likeness("db1")).toBe(before);
      }
      await odd({}).deploy();
      await odd({}).healthy();
      await odd({}).unchanged();
      await alike();
      for (const user of ["old", "new one", "Big Boss"])
        expect(await server.letsIn(user, "shop"), user).toBe(true);
      expect(await server.letsIn("new one", "My Shop")).toBe(false);
      expect(await state()).toBe(files);
      expect(await slots()).toBe(known);
      expect(await server.ask("db1", "table another", { port: 5432, role: "postgres" })).toContain(
        "1",
      );
    },
  );
});

describe("a server that was tuned to load data", () => {
  const server = new BareServer(lab);

  full(
    "is refused until it can be followed, and then followed with what it runs with, let go of, and replaced",
    { timeout: 1_800_000 },
    async () => {
      await server.boot();
      const refused = await following({ until: "balanced" }).refused("preview");
      expect(refused).toContain("expected wal_level replica or logical, found minimal");
      expect(refused).toMatch(/expected 3 streams and 1 slot to be free, found 0/);
      expect(refused).toContain("ALTER SYSTEM SET full_page_writes = on;");
      // Its owner does so; the restart must not bring what waits for one.
      const config = "/etc/postgresql/17/main/postgresql.conf";
      const edits = ["/^wal_level/d", "/^max_wal_senders/d", "s/^full_page_writes.*/#&/"];
      await lab.onHost(
        "db1",
        `sudo sed -i ${[...edits, "s/= 300MB/= 256MB/"].map((edit) => `-e '${edit}'`).join(" ")} ${config}
        sudo pg_ctlcluster 17 main restart
        sudo sed -i 's/= 256MB/= 300MB/' ${config}`,
      );
      await prepare();
      const kept = KEPT.replace("full_page_writes off", "full_page_writes on");
      expect(await server.likeness("db1")).toBe(kept);
      const before = await server.files();
      const told = await following({ until: "balanced" }).pulumi("preview");
      expect(told).toContain("shared_buffers: it runs with 256MB, its files say 300MB");
      expect(told).toContain("fsync is off, on all members");
      await following({ until: "balanced" }).deploy();
      await following({ until: "balanced" }).unchanged();
      for (const host of ["db2", "db3"]) expect(await server.likeness(host), host).toBe(kept);
      await following({ until: "balanced", rollback: true }).deploy();
      expect(await server.likeness("db1")).toBe(kept);
      expect(await server.files()).toBe(before);
      await following({}).deploy();
      await following({}).healthy();
      for (const host of ["db2", "db3"]) expect(await server.likeness(host), host).toBe(kept);
      expect(await server.files()).toBe(before);
    },
  );
});
