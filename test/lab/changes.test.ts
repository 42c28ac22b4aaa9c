import { afterAll, beforeAll, describe, expect } from "vitest";
import { down } from "../../src/lab/down";
import { packageRoot } from "../../src/package-root";
import { full } from "./harness";
import { LabCluster, leaderOf, until, type StackSettings } from "./lab-cluster";

// One change touches only what it must. The tests build on each other.

const cluster = new LabCluster("t-changes");
const MEMBERS = ["db1", "db2", "db3"];
const HOSTS = [...MEMBERS, "lb1", "lb2"];
const DAEMONS = ["etcd", "patroni", "haproxy", "keepalived"];

beforeAll(async () => {
  await cluster.boot({ topology: "standard", distro: "trixie" });
  await cluster.deploy();
  await cluster.healthy();
  await cluster.sql(5000, "create table probe (id int)");
}, 1_200_000);

afterAll(() => down(cluster.lab));

/** Which run of each daemon is on, by `db1 etcd`: changes with a restart, and not with a reload. */
async function runs(): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  const show = DAEMONS.map(
    (unit) => `echo ${unit} $(systemctl show -p InvocationID --value ${unit}.service)`,
  );
  await Promise.all(
    HOSTS.map(async (host) => {
      for (const line of (await cluster.onHost(host, show.join("; "))).trim().split("\n")) {
        const [unit = "", invocation = ""] = line.split(" ");
        found[`${host} ${unit}`] = invocation;
      }
    }),
  );
  return found;
}

/** When PostgreSQL was started on each member. */
function starts(): Promise<string[]> {
  return onMembers("select pg_postmaster_start_time()");
}

function onMembers(sql: string): Promise<string[]> {
  return Promise.all(MEMBERS.map((member) => cluster.superuserSql(member, sql)));
}

const parameters =
  (settings: Record<string, string | number>) =>
  ({ cluster: { postgresql } }: StackSettings) =>
    Object.assign(postgresql as object, { parameters: settings });

describe("a load balancer's setting", () => {
  full("is reloaded: open sessions go on, the virtual IP stays, nothing restarts", async () => {
    const balanced = cluster.varying(({ cluster: { loadBalancers } }) =>
      Object.assign(loadBalancers as object, { replicaFallback: true, maxConnections: 3000 }),
    );
    const preview = await balanced.pulumi("preview");
    expect(preview).toMatch(/haproxy on lb1, lb2 reloads/);
    const before = await runs();
    const holder = (await cluster.healthy()).loadBalancers.find(({ holdsVip }) => holdsVip)?.host;
    const { passwords } = await cluster.outputs();
    const session = cluster.onHost(
      "db1",
      "read -r PGPASSWORD; export PGPASSWORD; psql -XAtq -h 10.89.0.100 -p 5000 -U app -d app " +
        "-c 'select pg_backend_pid()' -c 'select pg_sleep(30)' -c 'select pg_backend_pid()'",
      `${passwords.app}\n`,
    );
    await balanced.deploy();
    const [first, , last] = (await session).trim().split("\n");
    expect(last).toBe(first);
    expect(await runs()).toEqual(before);
    expect(
      await cluster.onHost("lb1", "sudo grep -c 'maxconn 3000' /etc/haproxy/haproxy.cfg"),
    ).toBe("1\n");
    const after = (await cluster.healthy()).loadBalancers.find(({ holdsVip }) => holdsVip)?.host;
    expect(after).toBe(holder);
  });
});

describe("a setting of PostgreSQL", () => {
  full("that can be reloaded is, and every member has it", async () => {
    const before = { runs: await runs(), starts: await starts() };
    const reloaded = cluster.varying(parameters({ work_mem: "12MB" }));
    expect(await reloaded.pulumi("preview")).toContain(
      "work_mem: 4MB → 12MB: reloaded by every member, nothing restarts",
    );
    await reloaded.deploy();
    expect(await onMembers("show work_mem")).toEqual(["12MB", "12MB", "12MB"]);
    expect({ runs: await runs(), starts: await starts() }).toEqual(before);
  });

  full(
    "that needs a restart takes one member after the other, and clients wait for seconds only",
    async () => {
      const raised = cluster.varying(parameters({ max_connections: 150 }));
      const seen = await cluster.healthy();
      const leader = leaderOf(seen);
      expect(await raised.pulumi("preview")).toMatch(
        new RegExp(`max_connections: 100 → 150: needs a restart.* a switchover from ${leader} to`),
      );
      const before = await runs();
      const { written, failed, longestMs } = await cluster.writesDuring(() => raised.deploy());
      process.stdout.write(`rolling restart: no write for ${longestMs} ms, ${failed} failed\n`);
      expect(await onMembers("show max_connections")).toEqual(["150", "150", "150"]);
      const after = await cluster.healthy();
      expect(leaderOf(after)).not.toBe(leader);
      // Patroni itself goes on, as do the daemons beside it.
      expect(await runs()).toEqual(before);
      // What was acknowledged is there; of what was not, nobody knows.
      const found = Number(await cluster.sql(5000, "select count(distinct id) from probe"));
      expect(found).toBeGreaterThanOrEqual(written);
      expect(found).toBeLessThanOrEqual(written + failed);
      expect(longestMs).toBeLessThan(60_000);
      // Whoever was drained is back in.
      expect(after.loadBalancers.map(({ entrances }) => entrances.replica?.length)).toEqual([2, 2]);
      await raised.unchanged();
    },
  );

  full(
    "that a replica may not have lower than its leader becomes lower on the leader first",
    async () => {
      const lowered = cluster.varying(parameters({ max_connections: 120 }));
      const leader = leaderOf(await cluster.healthy());
      expect(await lowered.pulumi("preview")).toContain(
        `A lower max_connections must reach the leader first: ${leader} restarts in place`,
      );
      await lowered.deploy();
      expect(await onMembers("show max_connections")).toEqual(["120", "120", "120"]);
      expect(leaderOf(await cluster.healthy())).toBe(leader);
    },
  );

  full("waits for a long transaction, and gives up while the cluster serves", async () => {
    const careful =
      (wait: number) =>
      ({ cluster: settings }: StackSettings) => {
        parameters({ max_connections: 130 })({ cluster: settings } as StackSettings);
        settings.rolling = { longestTransaction: 2, wait, drain: 0 };
      };
    const seen = await cluster.healthy();
    const replica = seen.members.find(({ role }) => role === "replica")?.name ?? "";
    const before = await starts();
    const open = cluster.onHost(
      replica,
      "cd / && sudo -u postgres psql -XAtqc 'begin' -c 'select 1' -c 'select pg_sleep(600)' || :",
    );
    const refused = await cluster.varying(careful(5)).refused("up", "--yes", "--skip-preview");
    expect(refused).toMatch(
      new RegExp(
        `expected no transaction on ${replica} to be open for more than 2 s within 5 seconds, got: ` +
          "1 open for longer, the longest for \\d+ s \\(process \\d+, postgres in postgres\\)",
      ),
    );
    expect(await starts()).toEqual(before);
    expect(await cluster.sql(5000, "select 1")).toBe("1");
    await cluster.superuserSql(
      replica,
      "select pg_terminate_backend(pid) from pg_stat_activity where query = 'select pg_sleep(600)'",
    );
    await open;
    // So long a replica that has restarted may take until it confirms commits again.
    await cluster.varying(careful(120)).deploy();
    expect(await onMembers("show max_connections")).toEqual(["130", "130", "130"]);
  });

  full(
    "that one server does not load ends the run by name, and all restart with the old one",
    async () => {
      const file = "/usr/share/postgresql/17/timezonesets/Office";
      const copy = `sudo cp ${file.replace("Office", "Default")} ${file}`;
      await Promise.all(MEMBERS.map((member) => cluster.onHost(member, copy)));
      const named = cluster.varying((settings) => {
        parameters({ max_connections: 120, work_mem: "9MB", timezone_abbreviations: "Office" })(
          settings,
        );
        // Between the trial of the preview and the change.
        const away = `${packageRoot()}/bin/pgherd lab ssh --name ${cluster.lab} db2 -- sudo rm -f ${file}`;
        settings.cluster.hooks = [{ name: "away", when: "before", run: away }];
      });
      const said = await named.refused("up", "--yes", "--skip-preview");
      expect(said).toMatch(
        /db2: PostgreSQL does not load postgresql.conf, line \d+: timezone_abbreviations/,
      );
      expect(said).toContain("The settings that were there before are back on all members.");
      await cluster.pgherd("restart", "db2", "--yes");
      await cluster.healthy();
      expect(await onMembers("show timezone_abbreviations")).toEqual(Array(3).fill("Default"));
      expect(await onMembers("show work_mem")).toEqual(["4MB", "4MB", "4MB"]);
    },
  );

  full(
    "that shut everybody out of one server end the run by name, and all have the old ones",
    async () => {
      const libraries = "/usr/lib/postgresql/17/lib";
      const copy = `sudo cp ${libraries}/auto_explain.so ${libraries}/passing.so`;
      await Promise.all(MEMBERS.map((member) => cluster.onHost(member, copy)));
      const named = cluster.varying((settings) => {
        parameters({ max_connections: 120, session_preload_libraries: "passing" })(settings);
        // Between the trial of the preview and the change.
        const away = `${packageRoot()}/bin/pgherd lab ssh --name ${cluster.lab} db2 -- sudo rm -f ${libraries}/passing.so`;
        settings.cluster.hooks = [{ name: "away", when: "before", run: away }];
      });
      const said = await named.refused("up", "--yes", "--skip-preview");
      expect(said).toMatch(/db2: PostgreSQL lets nobody in: could not access file "passing"/);
      expect(said).toContain("The settings that were there before are back on all members.");
      expect(await onMembers("show session_preload_libraries")).toEqual(["", "", ""]);
    },
  );

  full(
    "that a member does not start with ends the run by name, and all run with the old ones",
    async () => {
      const before = await onMembers("show huge_pages");
      const begun = "select pg_postmaster_start_time()";
      const beganAt = await onMembers(begun);
      const paged = cluster.varying((settings) => {
        parameters({ max_connections: 130, huge_pages: "on" })(settings);
        // As if there were some: without, it is refused before anything is changed.
        settings.cluster.system = { sysctl: { "vm.nr_hugepages": 0 } };
      });
      const said = await paged.refused("up", "--yes", "--skip-preview");
      expect(said).toMatch(
        /db\d: PostgreSQL does not start with huge_pages: its default → on: FATAL: could not map anonymous shared memory/,
      );
      expect(said).toContain(
        "The settings that were there before are back, and all members run with them.",
      );
      await cluster.healthy();
      expect(await onMembers("show huge_pages")).toEqual(before);
      const waiting = "select count(*) from pg_settings where pending_restart";
      expect(await onMembers(waiting)).toEqual(["0", "0", "0"]);
      // Nobody else restarted, neither with the new settings nor for their marks.
      const now = await onMembers(begun);
      expect(now.filter((one, i) => one !== beganAt[i])).toHaveLength(1);
    },
  );

  full("that only a database can judge are loaded all the same", async () => {
    const leader = leaderOf(await cluster.healthy());
    const folder = "sudo install -d -o postgres -g postgres -m 700 /srv/office";
    await Promise.all(MEMBERS.map((member) => cluster.onHost(member, folder)));
    // In one database alone: the others take the name on faith.
    await cluster.superuserSql(
      leader,
      "create text search configuration public.office (copy = pg_catalog.simple)",
      "app",
    );
    await cluster.superuserSql(leader, "create tablespace office location '/srv/office'");
    const names = { default_text_search_config: "public.office", default_tablespace: "office" };
    const named = cluster.varying(parameters({ max_connections: 120, ...names }));
    await named.deploy();
    await cluster.healthy();
    for (const [name, value] of Object.entries(names))
      expect(await onMembers(`show ${name}`)).toEqual(Array(3).fill(value));
    await named.unchanged();
    await cluster.varying(parameters({ max_connections: 120 })).deploy();
    const now = leaderOf(await cluster.healthy());
    await cluster.superuserSql(now, "drop tablespace office");
    await cluster.superuserSql(now, "drop text search configuration public.office", "app");
  });

  full("that somebody has set by ALTER SYSTEM is drift, and taken back", async () => {
    const plain = cluster.varying(parameters({ max_connections: 120 }));
    await plain.deploy();
    await cluster.superuserSql("db2", "alter system set work_mem = '77MB'");
    await cluster.superuserSql("db2", "select pg_reload_conf()");
    await until("the other value", 10, async () =>
      (await cluster.superuserSql("db2", "show work_mem")) === "77MB" ? true : undefined,
    );
    const shown = await plain.pulumi("preview", "--refresh", "--diff");
    expect(shown).toContain("77MB by ALTER SYSTEM on db2");
    await plain.deploy("--refresh");
    expect(await onMembers("show work_mem")).toEqual(["4MB", "4MB", "4MB"]);
    await plain.unchanged();
  });

  full("for the next restart by ALTER SYSTEM is told, and tried before a restart", async () => {
    const takeBack = async () => {
      await cluster.superuserSql("db2", "alter system reset shared_preload_libraries");
      await cluster.superuserSql("db2", "select pg_reload_conf()");
    };
    await cluster.superuserSql("db2", "alter system set shared_preload_libraries = 'nosuch'");
    await cluster.superuserSql("db2", "select pg_reload_conf()");
    try {
      await until("the status to tell", 30, async () => {
        const { problems } = await cluster.status();
        const told = 'db2: shared_preload_libraries will be "nosuch" by ALTER SYSTEM';
        return problems.some((one) => one.startsWith(told)) ? true : undefined;
      });
      const said = await cluster.pgherdRefuses("restart", "db2", "--yes");
      expect(said.replace(/\s+/g, " ")).toMatch(
        /could not access file "nosuch".* is not restarted/,
      );
      const restarting = cluster.varying(parameters({ max_connections: 121 }));
      const foreseen = (await restarting.pulumi("preview")).replace(/\s+/g, " ");
      expect(foreseen).toContain(
        'db2: shared_preload_libraries becomes "nosuch" with that restart, by ALTER SYSTEM there',
      );
      expect(foreseen).toMatch(/could not access file "nosuch".* is not restarted/);
    } finally {
      await takeBack();
    }
    await cluster.pgherd("restart", "db2", "--yes");
    await cluster.healthy();
  });
});

describe("users and databases", () => {
  full("change by SQL, and no service notices", async () => {
    const before = { runs: await runs(), starts: await starts() };
    const more = cluster.varying((settings) => {
      parameters({ max_connections: 120 })(settings);
      const { postgresql } = settings.cluster;
      Object.assign(postgresql as object, {
        users: [{ name: "app" }, { name: "report", connectionLimit: 5 }],
        databases: [
          { name: "app", owner: "app" },
          {
            ...{ name: "report", owner: "report", extensions: ["pg_trgm"] },
            schemas: [{ name: "sales" }, { name: "raw", owner: "app", usage: ["report"] }],
          },
        ],
      });
    });
    const foreseen = await more.pulumi("preview");
    expect(foreseen).toContain("databases report: created by SQL, no service is touched");
    expect(foreseen).toContain(
      "schema raw of database report: created unless it is there, owned by app; report may use it.",
    );
    await more.deploy();
    const leader = leaderOf(await cluster.healthy());
    expect(
      await cluster.superuserSql(
        leader,
        "select datdba::regrole from pg_database where datname = 'report'",
      ),
    ).toBe("report");
    const schemas =
      "select string_agg(nspname || ' ' || nspowner::regrole || ' ' || has_schema_privilege('report', oid, 'usage'), ', ' " +
      "order by nspname) from pg_namespace where nspname in ('raw', 'sales')";
    const inReport = (text: string) => cluster.superuserSql(leader, text, "report");
    expect(await inReport(schemas)).toBe("raw app true, sales report true");
    await inReport("alter schema raw owner to postgres; revoke usage on schema raw from report");
    expect(await more.pulumi("preview")).toContain(
      "schema raw of database report: its owner is app, not postgres; report may use it.",
    );
    await more.deploy();
    expect(await inReport(schemas)).toBe("raw app true, sales report true");
    await more.unchanged();
    expect({ runs: await runs(), starts: await starts() }).toEqual(before);
  });

  full(
    "a user who is to be dropped is once he owns nothing, however many runs that takes",
    async () => {
      const named = (...users: object[]) =>
        cluster.varying((settings) => {
          parameters({ max_connections: 120 })(settings);
          Object.assign(settings.cluster.postgresql as object, {
            users: [{ name: "app" }, ...users],
          });
        });
      await named({ name: "clerk", onRemoval: "drop" }).deploy();
      const leader = leaderOf(await cluster.healthy());
      const inApp = (text: string) => cluster.superuserSql(leader, text, "app");
      await inApp("create table files (id int); alter table files owner to clerk");
      for (let run = 0; run < 2; run++) {
        const refused = await named().refused("up", "--yes", "--skip-preview");
        expect(refused).toContain("user clerk cannot be dropped: in database app it owns 1 table");
      }
      const roles = "select rolname, rolcanlogin from pg_roles where rolname = 'clerk'";
      expect(await inApp(roles)).toBe("clerk|f");
      await inApp("reassign owned by clerk to app; drop owned by clerk");
      await named().deploy();
      expect(await inApp(roles)).toBe("");
      await inApp("drop table files");
      await named().unchanged();
    },
  );
});

describe("etcd's setting", () => {
  full("restarts its members one at a time", async () => {
    const compacted = cluster.varying((settings) => {
      parameters({ max_connections: 120 })(settings);
      Object.assign(settings.cluster.dcs, { compaction: "2h" });
    });
    expect(await compacted.pulumi("preview")).toMatch(
      /etcd on db1, db2, db3 restarts, one member at a time/,
    );
    const before = await runs();
    const postgres = await starts();
    await compacted.deploy();
    const after = await runs();
    const changed = Object.keys(after).filter((unit) => after[unit] !== before[unit]);
    expect(changed.sort()).toEqual(["db1 etcd", "db2 etcd", "db3 etcd"]);
    const since = await Promise.all(
      MEMBERS.map(async (member) =>
        Number(
          await cluster.onHost(
            member,
            'date -d "$(systemctl show -p ActiveEnterTimestamp --value etcd)" +%s%N | cut -c1-13',
          ),
        ),
      ),
    );
    expect(new Set(since).size).toBe(3);
    expect(await starts()).toEqual(postgres);
    await cluster.healthy();
  });
});
