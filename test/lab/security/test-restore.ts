import { expect, test } from "vitest";
import type { Verification } from "../../../src/facts/barman";
import { leaderOf, until, type LabCluster } from "../lab-cluster";

const PUBLISHER = "/var/tmp/publisher";

/** What is restored for a test can neither reach anybody nor change anything, whatever stands in the database. */
export function testRestore(cluster: LabCluster): void {
  const VERIFY = ["backup", "verify", "--json"];
  const verify = async () => JSON.parse(await cluster.pgherd(...VERIFY)) as Verification;
  const failing = async () => JSON.parse(await cluster.pgherdRefuses(...VERIFY)) as Verification;
  // Not healthy while the last test restore has failed.
  const leader = async () => leaderOf(await cluster.status());

  test("a test restore leaves a subscription's rows to the subscriber", async () => {
    // A server that the backup host reaches, and the members do not: only a test restore could take its rows.
    const publisher = (sql: string) =>
      cluster.onHost(
        "backup1",
        `cd / && sudo -u postgres psql -XAtq -h ${PUBLISHER} -p 5499 -d postgres`,
        `${sql}\n`,
      );
    const server = `cd / && sudo -u postgres /usr/lib/postgresql/17/bin/pg_ctl -w -D ${PUBLISHER}`;
    await cluster.onHost(
      "backup1",
      `cd / && sudo rm -rf ${PUBLISHER} && sudo -u postgres /usr/lib/postgresql/17/bin/initdb -D ${PUBLISHER} -A trust >/dev/null
       ${server} -o "-c wal_level=logical -c port=5499 -c listen_addresses=127.0.0.1 -c unix_socket_directories=${PUBLISHER}" -l ${PUBLISHER}/log start >/dev/null`,
    );
    const subscriber = await leader();
    try {
      await publisher(
        `create table orders (id int primary key); create publication orders for table orders;
         select pg_create_logical_replication_slot('orders', 'pgoutput');`,
      );
      await cluster.superuserSql(subscriber, `create database shop`);
      await cluster.superuserSql(
        subscriber,
        `create table orders (id int primary key);
         create subscription orders connection 'host=127.0.0.1 port=5499 user=postgres dbname=postgres' publication orders
           with (connect = false, slot_name = orders);
         alter subscription orders enable;`,
        "shop",
      );
      await publisher("insert into orders select generate_series(1, 10)");
      await cluster.pgherd("backup", "now");
      const position = () =>
        publisher("select confirmed_flush_lsn, active from pg_replication_slots");
      const before = await position();
      expect(await verify()).toMatchObject({ ok: true, problem: "" });
      expect(await position()).toBe(before);
      expect(
        await publisher(
          `select count(*) from pg_logical_slot_peek_binary_changes('orders', null, null,
             'proto_version', '1', 'publication_names', 'orders') where get_byte(data, 0) = ascii('I')`,
        ),
      ).toBe("10\n");
    } finally {
      await cluster.superuserSql(
        subscriber,
        `alter subscription orders disable; alter subscription orders set (slot_name = none);
         drop subscription orders;`,
        "shop",
      );
      await cluster.superuserSql(subscriber, "drop database shop with (force)");
      await cluster.onHost("backup1", `${server} -m immediate stop; sudo rm -rf ${PUBLISHER}`);
    }
  });

  test("what a database's owner has the test restore run is nobody there, and reaches neither backups nor the network", async () => {
    const attempts = [
      "id -u",
      "touch /var/lib/barman/demo/taken && echo WROTE backups",
      "ls /var/lib/barman/demo/base && echo READ backups",
      "cat /var/lib/pgherd/backup-passwords && echo READ passwords",
      "touch /var/lib/pgherd/metrics/taken && echo WROTE metrics",
      "touch /var/lib/pgherd/verified-demo/taken && echo WROTE results",
      "touch /var/tmp/../../etc/taken && echo WROTE etc",
      "timeout 3 bash -c '</dev/tcp/10.89.0.11/22' && echo REACHED db1",
      "timeout 3 bash -c '</dev/tcp/127.0.0.1/22' && echo REACHED itself",
    ];
    const shell = attempts.map((one) => `{ ${one}; } 2>/dev/null`).join("; ");
    // The stack's own check asks for pg_class by its bare name, in the search_path that the owner has chosen.
    await cluster.sql(5000, "create schema turned");
    await cluster.sql(
      5000,
      `create function turned.attempt() returns bool language plpgsql as \\$f\\$
         declare told text;
         begin
           if not (select rolsuper from pg_catalog.pg_roles where rolname = current_user) then return true; end if;
           create temp table told (line text);
           copy told from program \\$p\\$${shell.replaceAll("$", "\\$")}; true\\$p\\$;
           select string_agg(line, ' ') into told from told;
           raise exception 'ATTEMPTED %', told;
         end \\$f\\$`,
    );
    await cluster.sql(
      5000,
      "create view turned.pg_class as select * from pg_catalog.pg_class where turned.attempt()",
    );
    await cluster.sql(5000, "alter database app set search_path = turned, pg_catalog, public");
    try {
      await cluster.pgherd("backup", "now");
      const { ok, problem } = await failing();
      expect(ok).toBe(false);
      expect(problem).toMatch(/your check in app: .*ATTEMPTED \d+/);
      expect(problem).not.toMatch(/WROTE|READ|REACHED/);
      const [, user] = /ATTEMPTED (\d+)/.exec(problem) ?? [];
      const known = await cluster.onHost("backup1", `getent passwd ${user} || echo nobody`);
      expect(known).toBe("nobody\n");
    } finally {
      const old = await leader();
      await cluster.superuserSql(old, "alter database app reset search_path");
      await cluster.superuserSql(old, "drop schema turned cascade", "app");
    }
    await cluster.pgherd("backup", "now");
    expect(await verify()).toMatchObject({ ok: true, problem: "" });
    expect(await cluster.onHost("backup1", "sudo ls -A /var/lib/barman/demo/verify")).toBe("");
  });

  test("tablespaces are restored and looked through with the rest", async () => {
    const seen = await cluster.status();
    const on = leaderOf(seen);
    const place = "/srv/it is fast";
    for (const { name } of seen.members) {
      await cluster.onHost(name, `sudo install -d -m 0700 -o postgres -g postgres '${place}'`);
    }
    try {
      await cluster.superuserSql(on, `create tablespace "fast one" location '${place}'`);
      const table = `create table far tablespace "fast one" as select generate_series(1, 1000) as id`;
      await cluster.superuserSql(on, table, "app");
      await cluster.pgherd("backup", "now");
      expect(await verify()).toMatchObject({ ok: true, problem: "" });
      expect((await cluster.status()).backup?.problems).toEqual([]);
    } finally {
      await cluster.superuserSql(on, "drop table if exists far", "app");
      await cluster.superuserSql(on, `drop tablespace if exists "fast one"`);
      await cluster.pgherd("backup", "now");
    }
  });

  test("databases with names, settings and triggers of their own pass a test restore", async () => {
    const on = await leader();
    const names = ["my db", "no public", "raising", "readonly", "hurried", "a=b 'c' \"d\""];
    const sql = (text: string, database?: string) => cluster.superuserSql(on, text, database);
    const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`;
    try {
      for (const name of names) await sql(`create database ${quoted(name)}`);
      await sql("drop schema public", "'no public'");
      await sql(
        `create function no() returns event_trigger language plpgsql as $$ begin raise 'no'; end $$;
         create event trigger no on ddl_command_start execute function no();
         alter event trigger no enable always;`,
        "raising",
      );
      await sql("create schema tools; create extension amcheck schema tools", "hurried");
      await sql("alter database readonly set default_transaction_read_only = on");
      await sql("alter role postgres in database hurried set statement_timeout = '5ms'");
      await sql("alter role postgres in database hurried set role = 'app'");
      await cluster.pgherd("backup", "now");
      expect(await verify()).toMatchObject({ ok: true, problem: "" });
    } finally {
      for (const name of names) await sql(`drop database if exists ${quoted(name)} with (force)`);
      await until("the databases to be gone everywhere", 60, async () =>
        (await cluster.healthy()) ? true : undefined,
      );
    }
  });
}
