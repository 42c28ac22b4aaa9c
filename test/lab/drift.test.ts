import { appendFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { down } from "../../src/lab/down";
import { powerOff, powerOn, reset } from "../../src/lab/power";
import { full } from "./harness";
import { LabCluster, leaderOf, until } from "./lab-cluster";

// What somebody else does to the hosts of a cluster, and what the next run makes of it. Each test leaves the hosts as the
// stack says.

const LAB = "t-drift";
const DATABASES = ["db1", "db2", "db3"];
const BALANCERS = ["lb1", "lb2"];
const HOSTS = [...DATABASES, ...BALANCERS];

const cluster = new LabCluster(LAB).varying(({ cluster: wanted }) => {
  wanted.postgresql = {
    ...wanted.postgresql,
    databases: [{ name: "app", owner: "app", extensions: ["pg_trgm"] }],
  };
});

beforeAll(async () => {
  await cluster.boot({ topology: "standard", distro: "trixie" });
  await cluster.deploy();
  await cluster.healthy();
  await cluster.sql(5000, "create table notes as select generate_series(1, 100) as id");
}, 1_200_000);

afterAll(() => down(LAB));

/** One thing that somebody does to a host. */
interface Drift {
  readonly what: string;
  readonly host: string;
  /** As root. */
  readonly script: string;
  /** Names of the resources that show it. */
  readonly shows: readonly string[];
  /** Files that the repair writes. */
  readonly files?: readonly string[];
  /** The daemon that the repair, or the damage, starts anew. */
  readonly starts?: string;
}

/** Rewrites a package as an older version of itself, and installs that without touching any daemon. */
function downgrade(name: string): string {
  return `cd "$(mktemp -d)"; chmod 755 .
    mkdir tree; dpkg-query -L ${name} | while read -r path; do
      if [ -f "$path" ]; then cp -a --parents "$path" tree/; fi; done
    mkdir tree/DEBIAN; dpkg-query -s ${name} | grep -E '^(Package|Architecture|Maintainer|Description):' >tree/DEBIAN/control
    echo 'Version: 0.0.1' >>tree/DEBIAN/control
    dpkg-deb -b tree old.deb >/dev/null; dpkg -i --force-downgrade old.deb >/dev/null 2>&1`;
}

/** Deletes a rule that nobody misses. */
const DELETE_RULE = `handle=$(nft -a list chain inet pgherd input | sed -n '/DHCPv6/s/.*# handle //p' | head -n 1)
  nft delete rule inet pgherd input handle "$handle"`;

const psql = (text: string, database = "postgres") =>
  `cd / && sudo -u postgres psql -XAtqd ${database} -c "${text}"`;

/** Done all at once, since no two of them show on the same resource: those of a database need its leader. */
function drifts(leader: string): Drift[] {
  return [
    {
      what: "a managed file edited",
      host: "db1",
      script: "echo '# mine' >>/etc/default/etcd",
      shows: ["demo-db1-etcd"],
      files: ["/etc/default/etcd"],
      starts: "etcd",
    },
    {
      what: "a managed file removed",
      host: "db2",
      script: "rm /etc/patroni/pgherd/10-member.yml",
      shows: ["demo-db2-patroni"],
      files: ["/etc/patroni/pgherd/10-member.yml"],
    },
    {
      what: "a managed file that others can read",
      host: "db3",
      script: "chmod 0644 /etc/patroni/pgherd/20-secrets.yml",
      shows: ["demo-db3-patroni"],
      files: ["/etc/patroni/pgherd/20-secrets.yml"],
    },
    {
      what: "a managed file of another owner, which restarts nothing",
      host: "db2",
      script: "chown etcd:etcd /etc/default/etcd",
      shows: ["demo-db2-etcd"],
      files: ["/etc/default/etcd"],
    },
    {
      what: "a unit that is disabled",
      host: "db3",
      script: "systemctl disable -q etcd",
      shows: ["demo-db3-etcd"],
    },
    {
      what: "a unit that is masked",
      host: "lb1",
      script: "systemctl mask -q haproxy",
      shows: ["demo-lb1-haproxy"],
    },
    {
      what: "a unit that runs with an older configuration than the one on disk",
      host: "lb2",
      script: `cd /etc/haproxy; cp -a haproxy.cfg /var/tmp/old; sleep 1.1
        sed -i 's/timeout client .*/timeout client 11m/' haproxy.cfg; systemctl reload haproxy
        sleep 1.1; mv /var/tmp/old haproxy.cfg`,
      shows: ["demo-lb2-haproxy"],
    },
    {
      what: "a Keepalived setting changed, and loaded",
      host: "lb1",
      script:
        "sed -i 's/interval .*/interval 3/' /etc/keepalived/keepalived.conf; systemctl reload keepalived",
      shows: ["demo-lb1-keepalived"],
      files: ["/etc/keepalived/keepalived.conf"],
    },
    {
      what: "a package removed",
      host: "db2",
      script: "dpkg --remove --force-depends python3-etcd >/dev/null 2>&1",
      shows: ["demo-db2"],
    },
    {
      what: "a package downgraded",
      host: "db3",
      script: downgrade("python3-etcd"),
      shows: ["demo-db3"],
    },
    {
      what: "a kernel setting reset",
      host: "lb1",
      script: "sysctl -qw net.ipv4.tcp_keepalive_time=7200",
      shows: ["demo-lb1"],
    },
    {
      what: "the file with the kernel settings removed",
      host: "db1",
      script: "rm /etc/sysctl.d/90-pgherd.conf",
      shows: ["demo-db1"],
      files: ["/etc/sysctl.d/90-pgherd.conf"],
    },
    {
      what: "a firewall rule added",
      host: "db1",
      script: "nft add rule inet pgherd input tcp dport 9999 accept",
      shows: ["demo-db1-firewall"],
      files: ["/var/lib/pgherd/firewall.nft"],
    },
    {
      what: "a firewall rule removed",
      host: "lb1",
      script: DELETE_RULE,
      shows: ["demo-lb1-firewall"],
      files: ["/var/lib/pgherd/firewall.nft"],
    },
    {
      what: "the dynamic configuration changed in the DCS",
      host: "db3",
      script:
        "patronictl -c /etc/patroni/pgherd edit-config --force --quiet -s ttl=40 -p work_mem=7MB >/dev/null",
      shows: ["demo-configuration"],
    },
    {
      what: "a role, a database and an extension changed",
      host: leader,
      script: [
        psql("alter role app createdb connection limit 3 password 'another'"),
        psql("alter database app owner to postgres"),
        psql("drop extension pg_trgm", "app"),
      ].join("\n"),
      shows: ["demo-patroni-cluster"],
    },
    {
      what: "a line of pg_hba.conf with which no server would start again",
      host: "db1",
      script: "echo 'host all' >>/var/lib/postgresql/17/main/pg_hba.conf",
      shows: ["demo-patroni-cluster"],
    },
    {
      what: "promises broken that the stack does not name; no commit is confirmed any more",
      host: leader,
      script: [
        psql("alter system set fsync = off"),
        psql("alter system set synchronous_standby_names = 'ghost'"),
        psql("select pg_reload_conf()"),
      ].join("\n"),
      shows: ["demo-patroni-cluster", "demo-report"],
    },
  ];
}

/** Further ones, on resources that the first ones use too. */
const FURTHER: readonly Drift[] = [
  {
    what: "a unit that is stopped",
    host: "db3",
    script: "systemctl stop etcd",
    shows: ["demo-db3-etcd", "demo-etcd-cluster"],
    starts: "etcd",
  },
  {
    what: "a daemon's unit changed",
    host: "db1",
    script: "rm -r /etc/systemd/system/patroni.service.d",
    shows: ["demo-db1-patroni"],
    files: ["/etc/systemd/system/patroni.service.d/pgherd.conf"],
  },
  {
    what: "a folder that others may look into",
    host: "db2",
    script: "chmod 0755 /etc/patroni/pgherd",
    shows: ["demo-db2-patroni"],
  },
  {
    what: "a secret changed",
    host: "lb1",
    script: "sed -i 's/password .*/password mine/' /etc/haproxy/pgherd-users.cfg",
    shows: ["demo-lb1-haproxy"],
    files: ["/etc/haproxy/pgherd-users.cfg"],
  },
  {
    what: "a script removed",
    host: "lb2",
    script: "rm /etc/keepalived/check-haproxy",
    shows: ["demo-lb2-keepalived"],
    files: ["/etc/keepalived/check-haproxy"],
  },
  {
    what: "the firewall's file removed",
    host: "lb2",
    script: "rm /var/lib/pgherd/firewall.nft",
    shows: ["demo-lb2-firewall"],
    files: ["/var/lib/pgherd/firewall.nft"],
  },
  {
    what: "a unit unmasked that must never start",
    host: "db1",
    script: "rm /etc/systemd/system/postgresql@17-main.service",
    shows: ["demo-db1"],
  },
];

/** Everything on a host that a run may write, and the lives of what runs there, each under a name. */
async function traces(host: string): Promise<Map<string, string>> {
  const found = await cluster.onHost(
    host,
    `sudo sh <<'script'
      find /etc/default/etcd /etc/systemd/system/*.service.d/pgherd.conf /etc/patroni/pgherd /etc/haproxy /etc/keepalived \\
        /etc/sysctl.d/90-pgherd.conf /etc/tmpfiles.d/pgherd-thp.conf /etc/postgresql-common/createcluster.conf /var/lib/pgherd \\
        -type f 2>/dev/null | while read -r path; do
          echo "$path=$(stat -c '%i %Y %a %U' "$path") $(sha256sum <"$path")"; done
      for unit in etcd patroni haproxy keepalived; do
        echo "$unit=$(systemctl show $unit -p InvocationID -p ActiveEnterTimestampMonotonic --value | tr '\\n' ' ')"; done
script`,
  );
  return new Map(
    found
      .trim()
      .split("\n")
      .map((line): [string, string] => {
        const at = line.indexOf("=");
        return [`${host} ${line.slice(0, at)}`, line.slice(at + 1)];
      }),
  );
}

async function allTraces(): Promise<Map<string, string>> {
  const each = await Promise.all(HOSTS.map(traces));
  return new Map(each.flatMap((one) => [...one]));
}

/** Names of what differs. */
function differing(a: Map<string, string>, b: Map<string, string>): string[] {
  return [...new Set([...a.keys(), ...b.keys()])].filter((key) => a.get(key) !== b.get(key)).sort();
}

/** What a preview would change, by name. */
async function previewed(): Promise<string[]> {
  const said = await cluster.pulumi("preview", "--json");
  const { steps } = JSON.parse(said) as { steps: { op: string; urn: string }[] };
  return steps
    .filter(({ op }) => !["same", "refresh", "read"].includes(op))
    .map(({ urn }) => urn.split("::").at(-1) as string)
    .sort();
}

/** Does all of it, and expects one run to show and repair exactly that. */
async function isRepaired(rows: readonly Drift[]): Promise<void> {
  const before = await allTraces();
  for (const host of new Set(rows.map((row) => row.host))) {
    const scripts = rows.filter((row) => row.host === host).map(({ script }) => `(${script}\n)`);
    await cluster.onHost(host, "sudo sh -s", `set -e\n${scripts.join("\n")}\n`);
  }
  const shown = [...new Set(rows.flatMap(({ shows }) => shows))].sort();
  expect(await previewed()).toEqual(shown);
  const said = await cluster.deploy();
  expect(said).toMatch(new RegExp(`~ ${shown.length} updated`));
  expect(said).not.toMatch(/\d+ (created|replaced|deleted)/);
  await cluster.healthy();
  const written = rows.flatMap(({ host, files = [] }) => files.map((path) => `${host} ${path}`));
  const started = rows.flatMap(({ host, starts }) => (starts ? [`${host} ${starts}`] : []));
  // The file that was put back is another one by its number.
  const putBack = rows.some(({ script }) => script.includes("mv /var/tmp/old"))
    ? ["lb2 /etc/haproxy/haproxy.cfg"]
    : [];
  const expected = [...new Set([...written, ...started])].sort();
  expect(differing(before, await allTraces()).filter((one) => !putBack.includes(one))).toEqual(
    expected,
  );
  await cluster.pulumi("up", "--yes", "--skip-preview", "--expect-no-changes");
}

/** When process 1 has started, in the kernel's clock ticks. */
const START_OF_INIT = "cut -d' ' -f22 /proc/1/stat";

describe("nothing changes", () => {
  full("after a comment in the stack file, and after a switchover", async () => {
    await leavesAlone();
    const old = leaderOf(await cluster.healthy());
    await cluster.onHost("db1", "sudo patronictl -c /etc/patroni/pgherd switchover --force");
    await cluster.otherLeader(old);
    await leavesAlone();
  });

  full("after a failover, and after a host has started again", async () => {
    const old = leaderOf(await cluster.healthy());
    await powerOff(LAB, [old]);
    await cluster.otherLeader(old);
    await powerOn(LAB, [old]);
    await leavesAlone();
    const before = await cluster.onHost("lb1", START_OF_INIT);
    await cluster.onHost("lb1", "sudo systemctl reboot --no-block").catch(() => undefined);
    await until("lb1 is up again", 120, async () => {
      const now = await cluster.onHost("lb1", START_OF_INIT);
      return now !== before ? true : undefined;
    });
    await leavesAlone();
  });

  /** By a stack file that differs in a comment only, a run finds nothing to do and does nothing. */
  async function leavesAlone(): Promise<void> {
    const before = await settled();
    const commented = cluster.variation(() => undefined);
    appendFileSync(commented, "# Only a comment.\n");
    await cluster.with(commented).pulumi("preview", "--expect-no-changes");
    await cluster.with(commented).deploy("--expect-no-changes");
    expect(differing(before, await everything())).toEqual([]);
  }

  /** What there is, once the cluster has come to rest: Patroni follows a new leader for some rounds. */
  async function settled(): Promise<Map<string, string>> {
    await cluster.healthy();
    return until("the cluster has come to rest", 120, async () => {
      const before = await everything();
      await sleep(12_000);
      return differing(before, await everything()).length === 0 ? before : undefined;
    });
  }

  /** All traces, the lives of PostgreSQL and what it has loaded, and the last change of the dynamic configuration. */
  async function everything(): Promise<Map<string, string>> {
    const all = await allTraces();
    await Promise.all(
      DATABASES.map(async (name) => {
        const times = "select pg_postmaster_start_time(), pg_conf_load_time()";
        all.set(`${name} postgresql`, await cluster.superuserSql(name, times));
      }),
    );
    const key = await cluster.onHost("db1", "sudo etcdctl get -w json /service/demo/config");
    all.set("dynamic configuration", /"mod_revision":\d+/.exec(key)?.[0] ?? "absent");
    return all;
  }
});

describe("drift", () => {
  full(
    "whatever somebody has changed on the hosts is shown by a preview and repaired by one run, and nothing else",
    async () => {
      await isRepaired(drifts(leaderOf(await cluster.healthy())));
      expect(await cluster.sql(5000, "select count(*) from notes")).toBe("100");
      expect(await cluster.dynamicConfiguration()).toMatchObject({ ttl: 30 });
      expect(await cluster.onHost("db3", "dpkg-query -W -f '${Version}' python3-etcd")).not.toBe(
        "0.0.1",
      );
    },
  );

  full("so are these", () => isRepaired(FURTHER));

  full(
    "a stranger among etcd's members is an error that says what to do, and nothing is changed",
    async () => {
      const added = await cluster.onHost(
        "db1",
        "sudo etcdctl member add stranger --peer-urls=http://10.89.0.99:2380",
      );
      const id = /Member +([0-9a-f]+) added/.exec(added)?.[1];
      const said = await cluster.refused("preview");
      expect(said).toContain(
        `demo: expected etcd's members to be db1, db2, db3, got also one that has not started yet (${id}, http://10.89.0.99:2380).`,
      );
      expect(said).toContain(`If nobody needs it, on db1: sudo etcdctl member remove ${id}`);
      await cluster.onHost("db1", `sudo etcdctl member remove ${id}`);
      await cluster.unchanged();
    },
  );

  full("a member with the data of another database is an error that says whose it is", async () => {
    const seen = await cluster.healthy();
    const replica = seen.members.find(({ role }) => role === "replica")?.name as string;
    const data = "/var/lib/postgresql/17/main";
    const initdb = "sudo -u postgres /usr/lib/postgresql/17/bin/initdb -k -D";
    await cluster.onHost(
      replica,
      `sudo systemctl stop patroni && sudo mv ${data} ${data}.kept && cd / && ${initdb} ${data} >/dev/null`,
    );
    const { systemIdentifier } = await cluster.outputs();
    const said = await cluster.refused("up", "--yes", "--skip-preview");
    expect(said).toContain("expected the data of one database, found the system identifiers");
    expect(said).toMatch(new RegExp(`${systemIdentifier} on db\\d, db\\d`));
    expect(said).toMatch(new RegExp(`\\d{19} on ${replica}`));
    await cluster.onHost(replica, `sudo rm -r ${data} && sudo mv ${data}.kept ${data}`);
    await cluster.deploy();
    await cluster.healthy();
    await cluster.unchanged();
  });

  full(
    "a host without power is an error that names it; the others can be worked on, and the state keeps all",
    async () => {
      const seen = await cluster.healthy();
      const host = seen.members.find(({ role }) => role === "replica")?.name as string;
      await cluster.onHost("lb1", "sudo rm /etc/keepalived/check-haproxy");
      const names = await resources();
      const before = await traces("lb1");
      await powerOff(LAB, [host]);
      const said = await cluster.refused("up", "--yes", "--skip-preview");
      expect(said).toMatch(
        new RegExp(`${host}: deploy@10\\.89\\.0\\.\\d+ port 22 cannot be reached`),
      );
      expect(await resources()).toEqual(names);
      expect(await traces("lb1")).toEqual(before);
      await cluster.deploy("--target", "**::demo-lb1*");
      expect(await cluster.onHost("lb1", "stat -c %a /etc/keepalived/check-haproxy")).toBe("755\n");
      expect(await resources()).toEqual(names);
      await powerOn(LAB, [host]);
      await cluster.healthy();
      await cluster.unchanged();
    },
  );

  async function resources(): Promise<string[]> {
    const state = JSON.parse(await cluster.pulumi("stack", "export")) as {
      deployment: { resources: { urn: string }[] };
    };
    return state.deployment.resources.map(({ urn }) => urn).sort();
  }
});

describe("a changed setting of etcd", () => {
  full("restarts one member at a time, each when the one before is up again", async () => {
    const before = await starts();
    const changed = cluster.varying(({ cluster: wanted }) => {
      wanted.dcs = { ...wanted.dcs, kind: "etcd", compaction: "2h" } as typeof wanted.dcs;
    });
    await changed.deploy();
    const restarted = await starts();
    expect(restarted.map(([begin], i) => begin > (before[i]?.[0] ?? 0))).toEqual([
      true,
      true,
      true,
    ]);
    const inOrder = restarted.sort(([a], [b]) => a - b);
    inOrder.slice(1).forEach(([begin], i) => expect(begin).toBeGreaterThan(inOrder[i]?.[1] ?? 0));
    await cluster.deploy();
    await cluster.healthy();
  });

  /** When each member was started and when it was ready, in microseconds of the clock that all hosts of a lab share. */
  function starts(): Promise<[begin: number, ready: number][]> {
    return Promise.all(
      DATABASES.map(async (name): Promise<[number, number]> => {
        const times = await cluster.onHost(
          name,
          "for p in InactiveExit ActiveEnter; do systemctl show etcd -p ${p}TimestampMonotonic --value; done",
        );
        const [begin = 0, ready = 0] = times.trim().split("\n").map(Number);
        return [begin, ready];
      }),
    );
  }
});

describe("a host that was reinstalled", () => {
  const host = "db1";

  full("comes back as all that it was, by one run, and the others go on", async () => {
    const ids = await etcdIds();
    const before = await Promise.all(HOSTS.filter((name) => name !== host).map(traces));
    await reset(LAB, [host]);
    await cluster.deploy();
    const seen = await cluster.healthy();
    expect(leaderOf(seen)).not.toBe(host);
    expect(seen.members.find(({ name }) => name === host)?.state).toBe("streaming");
    expect(await cluster.superuserSql(host, "select pg_is_in_recovery()")).toBe("t");
    expect(await cluster.sql(5000, "select count(*) from notes")).toBe("100");
    expect(await Promise.all(HOSTS.filter((name) => name !== host).map(traces))).toEqual(before);
    const now = await etcdIds();
    expect(Object.keys(now).sort()).toEqual(DATABASES);
    expect(Object.keys(now).filter((name) => now[name] !== ids[name])).toEqual([host]);
    expect(await cluster.onHost(host, "ls /var/lib/pgherd")).not.toContain("etcd-join.env");
    await cluster.unchanged();
  });

  full(
    "also when it had been added to etcd and not started before the run was killed",
    async () => {
      const ids = await etcdIds();
      await reset(LAB, [host]);
      const added = await cluster.onHost(
        "db2",
        `sudo etcdctl member remove ${ids[host]} >/dev/null && sudo etcdctl member add ${host} --peer-urls=http://10.89.0.11:2380`,
      );
      await cluster.deploy();
      await cluster.healthy();
      expect((await etcdIds())[host]).toBe(/Member +([0-9a-f]+) added/.exec(added)?.[1]);
      await cluster.unchanged();
    },
  );

  /** By name. */
  async function etcdIds(): Promise<{ [name: string]: string }> {
    const lines = (await cluster.onHost("db2", "sudo etcdctl member list")).trim().split("\n");
    return Object.fromEntries(
      lines.map((line) => {
        const [id = "", , name = ""] = line.split(", ");
        return [name, id];
      }),
    );
  }
});
