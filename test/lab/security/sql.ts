import { afterAll, expect, test } from "vitest";
import { leaderOf, until, type LabCluster } from "../lab-cluster";

/** Runs its text as whoever calls it, if that is a superuser: what a database's owner would do with one that asks him. */
const TRAP = `create schema evil;
create function evil.spring() returns boolean language plpgsql as $$ begin
  if (select rolsuper from pg_catalog.pg_roles where rolname operator(pg_catalog.=) current_user) then
    alter role app superuser;
  end if;
  return true;
exception when others then return true; end $$;
create view evil.pg_extension as select e.* from pg_catalog.pg_extension e where evil.spring();
create view evil.pg_class as select c.* from pg_catalog.pg_class c where evil.spring();
grant usage on schema evil to public;
grant select on all tables in schema evil to public;
`;

/** Further settings that an owner may give his database, and that pgherd's own sessions in it would have taken. */
const SETTINGS = [
  ...["role = app", "default_transaction_read_only = on"],
  ...["standard_conforming_strings = off", "client_min_messages = debug1"],
  ...["local_preload_libraries = 'not_there'", "quote_all_identifiers = on"],
];

/** Fits pgherd's calls of format(unknown, name, unknown) better than PostgreSQL's own: its text is run by \\gexec. */
const OWN_FORMAT = `create function public.format(text, name, text) returns text
  language sql as $$ select pg_catalog.concat('alter role app superuser') $$;
create function public.format(text, name) returns text
  language sql as $$ select pg_catalog.concat('alter role app superuser') $$;
`;

/** A database's owner, and a user with CREATE on a schema. */
export function sql(cluster: LabCluster): void {
  const leader = async () => leaderOf(await cluster.status());
  const asApp = (text: string) => `set session authorization app;\n${text}`;
  const superusers = `select pg_catalog.string_agg(rolname, ',' order by rolname) from pg_catalog.pg_roles where rolsuper`;

  afterAll(async () => {
    const host = await leader();
    const clean = (text: string, database?: string) => cluster.superuserSql(host, text, database);
    await clean("alter database app reset all; alter role app nosuperuser;");
    await clean(
      "drop schema if exists evil cascade; drop extension if exists pg_trgm, hstore;",
      "app",
    );
    await clean(
      `drop function if exists public.format(text, name, text), public.format(text, name);
       revoke create on schema public from app;`,
    );
    await cluster.healthy();
  });

  test("a database's owner becomes no superuser by the settings of his database and a view in it, when extensions are looked for and created", async () => {
    const host = await leader();
    const set = (setting: string) =>
      cluster.superuserSql(host, asApp(`alter database app set ${setting};`));
    await cluster.superuserSql(host, asApp(TRAP), "app");
    await set("search_path = evil, pg_catalog");
    const withExtensions = (...extensions: string[]) =>
      cluster.varying(({ cluster: wanted }) => {
        for (const database of wanted.postgresql?.databases ?? []) database.extensions = extensions;
      });
    await withExtensions("pg_trgm").deploy();
    expect(await cluster.superuserSql(host, superusers)).toBe("postgres");
    for (const setting of SETTINGS) await set(setting);
    await withExtensions("pg_trgm", "hstore").deploy("--refresh");
    expect(await cluster.superuserSql(host, superusers)).toBe("postgres");
    await cluster.superuserSql(host, "alter database app reset all;");
    expect(
      await cluster.superuserSql(
        host,
        "select extname, extnamespace::regnamespace, extowner::regrole from pg_extension where extname <> 'plpgsql' order by 1",
        "app",
      ),
    ).toBe("hstore|public|postgres\npg_trgm|public|postgres");
  });

  test("a user with CREATE on a schema of the database postgres becomes superuser neither in the cluster nor in a fork of it", async () => {
    const host = await leader();
    await cluster.superuserSql(host, "grant create on schema public to app;");
    await cluster.superuserSql(host, asApp(OWN_FORMAT));
    await cluster.pgherd("fork", "create", "asked");
    try {
      const { host: at, port } = await until("the fork is listed", 30, async () => {
        const all = JSON.parse(await cluster.pgherd("fork", "list", "--json")) as {
          readonly name: string;
          readonly host: string;
          readonly port: number;
        }[];
        return all.find(({ name }) => name === "asked");
      });
      const inFork = await cluster.onHost(
        at,
        `cd / && sudo runuser -u postgres -- psql -XAtq -h /run/pgherd-fork-asked -p ${port}`,
        `${superusers};\n`,
      );
      expect(inFork.trim()).toBe("postgres");
      expect(await cluster.superuserSql(host, superusers)).toBe("postgres");
    } finally {
      await cluster.pgherd("fork", "drop", "asked");
    }
  });
}
