import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { BlockList, isIPv6 } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { PROFILES } from "../../src/config/timings";
import type { Fork } from "../../src/facts/forks";
import type { Entrances } from "../../src/facts/haproxy";
import { addHost } from "../../src/lab/add-host";
import { brokenPromises } from "../../src/lab/chaos/checker";
import { down } from "../../src/lab/down";
import { labExec } from "../../src/lab/exec";
import { during } from "../../src/lab/faults/inflict";
import { labPaths } from "../../src/lab/paths";
import { powerOff, powerOn } from "../../src/lab/power";
import { run, tryRun } from "../../src/lab/run";
import { labStatus } from "../../src/lab/status";
import type { ClusterStatus } from "../../src/operations/status";
import type { Flow } from "../../src/plan/types";
import type { Interruption, ProbeReport } from "../../src/probe/report";
import { experiment } from "./experiment";
import { FULL, full, ROOT } from "./harness";
import { LabCluster, leaderOf, until, type Mode, type StackSettings } from "./lab-cluster";
import { copyInPage, failOverInPage, restartInPage } from "./page-drive";
import { BROWSER, openBrowser, serve } from "./served";

// One cluster on real hosts, through its life. The tests build on each other, as days in production do: each leaves the
// hosts as stacks/Pulumi.lab.yaml says.

const LAB = process.env.PGHERD_TEST_LAB ?? "t-cluster";
const DATABASES = ["db1", "db2", "db3"];
const HOSTS = [...DATABASES, "lb1", "lb2"];

const cluster = new LabCluster(LAB);

beforeAll(async () => {
  await cluster.boot({ topology: "standard", distro: "trixie", dataFs: "xfs" });
  await Promise.all(HOSTS.map((host) => cluster.onHost(host, WATCH_ARGUMENTS)));
}, 1_200_000);

afterAll(() => down(LAB));

/** Collects every command line that is ever seen on the host, until the host ends. */
const WATCH_ARGUMENTS =
  'sudo sh -c \'umask 077; (while sleep 0.3; do cat /proc/[0-9]*/cmdline 2>/dev/null | tr "\\0" " "; done ' +
  ">/var/lib/seen-arguments 2>/dev/null </dev/null &) '";

/** What changes on the hosts when a run does something there: files and lives of the daemons. */
function fingerprints(): Promise<string[]> {
  const look =
    'sudo sh -c \'find /etc /var/lib/pgherd -type f -exec stat -c "%n %i %Y %Z" {} + | sort; ' +
    "for u in etcd patroni haproxy keepalived; do systemctl show $u.service -p InvocationID -p StateChangeTimestamp; done'";
  return Promise.all(HOSTS.map((host) => cluster.onHost(host, look)));
}

describe("a cluster from nothing", () => {
  test("a firewall between the hosts is found before anything is changed", async () => {
    const etcd = { from: ["db1", "db3"], to: ["db2"], ports: [2380] };
    const said = await during(LAB, { kind: "cut", args: etcd }, () => cluster.refused("preview"));
    expect(said).toContain(
      "db1, db3: expected to reach etcd's peers on db2 (10.89.0.12 port 2380), got: no answer within 3 seconds.",
    );
    expect(new Set(said.match(/expected to reach .*? on \w+/g))).toEqual(
      new Set(["expected to reach etcd's peers on db2"]),
    );
  });

  test("one pulumi up turns blank hosts into a healthy cluster with a synchronous replica", async () => {
    await cluster.deploy();
    const seen = await cluster.healthy(60);
    expect(seen.members.map(({ role }) => role).sort()).toEqual([
      "leader",
      "replica",
      "sync_standby",
    ]);
    expect(new Set(seen.members.map(({ timeline }) => timeline)).size).toBe(1);
    expect(seen.loadBalancers.filter(({ holdsVip }) => holdsVip)).toHaveLength(1);
  });

  test("the next pulumi up changes nothing, neither in the state nor on any host", async () => {
    const before = await fingerprints();
    await cluster.unchanged();
    expect(await fingerprints()).toEqual(before);
  });

  test("a preview says first what reloads and what restarts, once, and what is new in short; one of some resources works too", async () => {
    const leader = leaderOf(await cluster.healthy());
    const change = ({ cluster: { loadBalancers, postgresql } }: StackSettings) => {
      Object.assign(loadBalancers as object, { maxConnections: 3000 });
      Object.assign(postgresql as object, { parameters: { max_connections: 150 } });
    };
    const balanced = cluster.varying(change);
    const backedUp = cluster.varying((settings) => {
      change(settings);
      settings.cluster.backup = { host: "backup1" };
    });
    const said = await backedUp.shown("preview", "--diff");
    expect(said).not.toMatch(/warning/i);
    expect(said).toMatch(/ \/var\/lib\/pgherd\/backup-take +: "root:root 0755, \d+ lines"/);
    expect(said).toContain('"postgres@db1 → barman@backup1: /var/lib/pgherd/backup-door');
    expect(said).not.toContain("#!/bin/");
    expect(said.split("\n").length).toBeLessThan(600);
    const restart = new RegExp(
      `^max_connections: 100 → 150: needs a restart.* a switchover from ${leader} to .*$`,
      "gm",
    );
    expect(said.match(restart)).toHaveLength(1);
    expect(said.search(restart)).toBeLessThan(said.indexOf("haproxy.cfg"));
    const reloads = said.indexOf("haproxy on lb1, lb2 reloads: open sessions go on");
    expect(reloads).toBeGreaterThan(0);
    expect(reloads).toBeLessThan(said.indexOf("haproxy.cfg"));
    expect(said.match(/^.*reloads: open sessions.*$/gm)).toHaveLength(1);
    const one = await balanced.pulumi("preview", "--target", "**::demo-lb1*");
    expect(one).toMatch(/~ 1 to update/);
  });

  test("each port leads to the members of its role", async () => {
    const seen = await cluster.healthy();
    const role = (wanted: string) => seen.members.find((member) => member.role === wanted)?.name;
    const address = { db1: "10.89.0.11", db2: "10.89.0.12", db3: "10.89.0.13" } as Record<
      string,
      string
    >;
    await cluster.sql(
      5000,
      "create table notes (id int primary key, at timestamptz default now())",
    );
    await cluster.sql(5000, "insert into notes select generate_series(1, 100)");
    const where = "select host(inet_server_addr())";
    expect(await cluster.sql(5000, where)).toBe(address[role("leader") ?? ""]);
    expect(await cluster.sql(5002, where)).toBe(address[role("sync_standby") ?? ""]);
    expect(await cluster.sql(5003, where)).toBe(address[role("replica") ?? ""]);
    expect(await cluster.sql(5001, "select pg_is_in_recovery()")).toBe("t");
    expect(await cluster.sql(5002, "select count(*) from notes")).toBe("100");
  });
});

describe("the statistics page", () => {
  test("asks everyone but the host itself for a password", async () => {
    const { statsPassword } = await cluster.outputs();
    const ask = (address: string, header: string) =>
      cluster.onHost(
        "lb1",
        `bash -c 'read -r header; exec 3<>/dev/tcp/${address}/7000
          printf "GET / HTTP/1.0\\r\\n%s\\r\\n\\r\\n" "$header" >&3; head -n 1 <&3'`,
        `${header}\n`,
      );
    const credentials = Buffer.from(`stats:${statsPassword}`).toString("base64");
    expect(await ask("10.89.0.31", "Accept: */*")).toContain(" 401 ");
    expect(await ask("10.89.0.31", `Authorization: Basic ${credentials}`)).toContain(" 200 ");
    expect(await ask("127.0.0.1", "Accept: */*")).toContain(" 200 ");
  });
});

describe("the firewall", () => {
  /** What the default client network, to which the stranger belongs, is to find open. */
  const OPEN: Record<string, number[]> = { db1: [22], lb1: [22, 5000, 5001, 5002, 5003] };

  /** What a balancer is there for goes on, but nobody can log in. */
  const WITHOUT_SSH = `    chain input {
        type filter hook input priority filter; policy drop;
        iif "lo" accept
        ct state established,related accept
        meta l4proto { 1, 58, 112 } accept
        tcp dport 5000-5003 accept
    }
`;

  test("a stranger reaches only what the table of flows allows", async () => {
    const { address } = await addHost(LAB, "stranger");
    for (const host of FULL ? ["db1", "lb1"] : ["db1"]) {
      const allowed = await allowedPorts(host, address);
      const listening = await listeningPorts(host);
      expect(listening.length, host).toBeGreaterThan(allowed.length);
      expect(await openPorts(host), host).toEqual(
        listening.filter((port) => allowed.includes(port)),
      );
      expect(allowed, host).toEqual(OPEN[host]);
    }
  });

  test("a rule set that would lock the controller out is taken back by the host itself", async () => {
    const rules = () => cluster.onHost("lb2", "sudo nft -s list table inet pgherd");
    const before = await rules();
    const apply = [process.execPath, join(ROOT, "test/lab/run.cjs"), "apply-firewall", "lb2"];
    await expect(labExec(LAB, apply, { input: WITHOUT_SSH })).rejects.toThrow(
      "lb2: the new firewall rules shut out this controller; the host has taken them back after 45 seconds.",
    );
    expect(await rules()).toBe(before);
    expect(await cluster.onHost("lb2", "hostname")).toBe("lb2\n");
  });

  full("a rule set that was taken back has left nothing to repair", () => cluster.unchanged());

  full("rules that somebody changed on a host are drift, which the next run repairs", async () => {
    const rules = () => cluster.onHost("db1", "sudo nft -s list table inet pgherd");
    const before = await rules();
    await cluster.onHost("db1", "sudo nft add rule inet pgherd input tcp dport 9999 accept");
    expect(await rules()).not.toBe(before);
    const said = await cluster.deploy("--refresh");
    expect(said).toMatch(/~ 1 updated/);
    expect(said).not.toMatch(/\d+ (created|replaced|deleted)/);
    expect(await rules()).toBe(before);
    await cluster.unchanged();
  });

  /** TCP ports that the table of flows opens on a host for an address, in order. */
  async function allowedPorts(host: string, address: string): Promise<number[]> {
    const flows = JSON.parse(await cluster.pgherd("plan", "--flows", "--json")) as Flow[];
    const ports = flows
      .filter(({ to, protocol }) => to === host && protocol === "tcp")
      .filter(({ addresses }) => contains(addresses, address))
      .flatMap(({ port }) => port ?? []);
    return sorted(ports);
  }

  function contains(networks: readonly string[], address: string): boolean {
    const list = new BlockList();
    for (const network of networks) {
      const [base = "", prefix] = network.split("/");
      const family = isIPv6(base) ? "ipv6" : "ipv4";
      if (prefix === undefined) list.addAddress(base, family);
      else list.addSubnet(base, Number(prefix), family);
    }
    return list.check(address);
  }

  /** TCP ports of a host on which something listens for others than the host itself, in order. */
  async function listeningPorts(host: string): Promise<number[]> {
    const sockets = (await cluster.onHost(host, "ss -Htln")).trim().split("\n");
    const local = sockets.map((line) => line.split(/\s+/)[3] ?? "");
    const open = local.filter((socket) => !/^(127\.|\[::1\])/.test(socket));
    return sorted(open.map((socket) => Number(socket.split(":").at(-1))));
  }

  /** TCP ports of a host to which the stranger can connect, in order. */
  async function openPorts(host: string): Promise<number[]> {
    const { hosts } = labStatus(LAB);
    const find = (wanted: string) => hosts.find(({ name }) => name === wanted);
    const scan = [process.execPath, join(ROOT, "test/lab/scan-ports.cjs")];
    const found = await run([
      ...["nsenter", `--net=/proc/${find("stranger")?.pid}/ns/net`, "--"],
      ...[...scan, find(host)?.address ?? ""],
    ]);
    return sorted(JSON.parse(found) as number[]);
  }

  function sorted(ports: readonly number[]): number[] {
    return [...new Set(ports)].sort((a, b) => a - b);
  }
});

describe("refusals", () => {
  test("all mistakes in the settings are shown at once", async () => {
    const mistaken = cluster.varying(({ cluster: wanted }) => {
      Object.assign(wanted.postgresql ?? {}, { verison: 17 });
      Object.assign(wanted.replication ?? {}, { mode: "sometimes" });
      Object.assign(wanted.loadBalancers ?? {}, { virtualRouterId: 300 });
    });
    const said = await mistaken.refused("preview");
    expect(said).toContain("3 problems in the stack's configuration:");
    expect(said).toContain("pgherd:cluster.postgresql.verison: no such setting.");
    expect(said).toMatch(/pgherd:cluster\.replication\.mode: expected .*, got "sometimes"\./);
    expect(said).toContain(
      "pgherd:cluster.loadBalancers.virtualRouterId: expected 255 or less, got 300.",
    );
  });

  test("a run that a host refuses says every reason and changes nothing anywhere", async () => {
    const before = await fingerprints();
    const unfit = cluster.varying(({ cluster: wanted }) => {
      wanted.postgresql = { ...wanted.postgresql, version: 18 };
      wanted.failover = { profile: "aggressive" };
    });
    const said = await unfit.refused("up", "--yes", "--skip-preview");
    expect(said).toContain(
      "pgherd:cluster.postgresql.version: expected 17, which this cluster was made with, got 18.",
    );
    // Patroni since 3.2.0 would silently wait longer than this profile says.
    expect(said).toMatch(
      /db1, db2, db3: pgherd:cluster\.failover\.profile: "aggressive" needs patroni older than 3\.2\.0, found 4/,
    );
    expect(await fingerprints()).toEqual(before);
  });
});

describe("a host that is not the one it was", () => {
  test("a swapped host key stops the run before any command is executed there", async () => {
    const paths = labPaths(LAB);
    const folder = mkdtempSync(join(tmpdir(), "pgherd-"));
    const config = readFileSync(paths.sshConfig, "utf8");
    const knownHosts = sshOption("UserKnownHostsFile");
    const lines = readFileSync(knownHosts, "utf8").split("\n");
    const keyOf = (address: string) =>
      lines
        .find((line) => line.includes(address))
        ?.split(" ")
        .slice(1)
        .join(" ") ?? "";
    const swapped = lines.map((line) =>
      line.includes("10.89.0.32") ? `${line.split(" ")[0]} ${keyOf("10.89.0.11")}` : line,
    );
    writeFileSync(join(folder, "known_hosts"), swapped.join("\n"));
    writeFileSync(
      join(folder, "config"),
      config.replaceAll(knownHosts, join(folder, "known_hosts")),
    );
    const logins = () =>
      cluster.onHost("lb2", "sudo journalctl -u ssh --no-pager -o cat | grep -c Accepted");
    const before = Number(await logins());
    const up = cluster.argv("up", "--yes", "--skip-preview").join(" ");
    const script = `PGHERD_SSH_CONFIG=${folder}/config ${up} 2>&1; echo "ended with $?"`;
    const said = await labExec(LAB, ["sh", "-c", script]);
    expect(said).toMatch(
      /lb2: .* shows another host key than the known one. Nothing was sent to it./,
    );
    expect(said).not.toMatch(/ended with 0/);
    // Only this test's own login to count came in between.
    expect(Number(await logins())).toBe(before + 1);
  });
});

describe("two runs at once", () => {
  test("a host that another run is changing is left alone, and the run says whose it is", async () => {
    const hold =
      "mkdir -p /run/pgherd; exec 9>>/run/pgherd/lock; " +
      "flock -n 9 && echo someone >/run/pgherd/lock.owner && exec sleep 600";
    await cluster.onHost(
      "db1",
      `sudo systemd-run --quiet --collect --unit=another-run sh -c '${hold}'`,
    );
    try {
      await until("the other run's lock", 20, async () => {
        const owner = await cluster.onHost("db1", "sudo cat /run/pgherd/lock.owner");
        return owner === "someone\n" ? true : undefined;
      });
      const tuned = cluster.varying(({ cluster: wanted }) => {
        wanted.postgresql = { ...wanted.postgresql, parameters: { work_mem: "7777kB" } };
      });
      const said = await tuned.refused("up", "--yes", "--skip-preview");
      expect(said).toContain("db1: is being changed by another run: someone.");
    } finally {
      await cluster.onHost("db1", "sudo systemctl stop another-run");
    }
    expect(JSON.stringify(await cluster.dynamicConfiguration())).not.toContain("7777kB");
  });
});

describe("hooks", () => {
  test("the user's own commands run once around a change, here and on a host by an SSH agent", async () => {
    const folder = mkdtempSync(join(tmpdir(), "pgherd-"));
    const knownHosts = readFileSync(sshOption("UserKnownHostsFile"), "utf8").split("\n");
    const hostKey = knownHosts.find((line) => /10\.89\.0\.11\S* ssh-ed25519/.test(line));
    const says = (name: string) => `echo ${name} ran >>`;
    const varied = cluster.varying(({ hosts, cluster: wanted }) => {
      hosts.db1 = {
        address: "10.89.0.11",
        user: "deploy",
        hostKey: hostKey?.replace(/^\S+ /, ""),
      };
      wanted.hooks = [
        { name: "announce", when: "before", run: `${says("announce")} ${folder}/hooks` },
        { name: "note", when: "after", on: "db1", run: `${says("note")} hooks; id -un >> hooks` },
      ];
    });
    const up = varied.argv("up", "--yes", "--skip-preview").join(" ");
    const withAgent = `ssh-add -q ${sshOption("IdentityFile")} && ${up} && ${up} --expect-no-changes`;
    await labExec(LAB, ["ssh-agent", "sh", "-c", withAgent]);
    expect(readFileSync(`${folder}/hooks`, "utf8")).toBe("announce ran\n");
    expect(await cluster.onHost("db1", "cat hooks")).toBe("note ran\ndeploy\n");
  });
});

describe("durability", () => {
  /** Where the cluster goes from synchronous, and back: in full each of the twelve ways from one mode to another. */
  const MODES: readonly Mode[] = FULL
    ? [
        ...(["asynchronous", "synchronous", "strict", "synchronous"] as const),
        ...(["quorum", "asynchronous", "strict", "asynchronous"] as const),
        ...(["quorum", "strict", "quorum", "synchronous"] as const),
      ]
    : ["quorum", "synchronous"];

  test(
    "a change of the mode is one pulumi up and restarts nothing",
    async () => {
      const lives = () =>
        Promise.all(
          DATABASES.map(async (host) => [
            await cluster.onHost(host, "systemctl show patroni -p InvocationID"),
            await cluster.superuserSql(host, "select pg_postmaster_start_time()"),
          ]),
        );
      const before = await lives();
      for (const mode of MODES) {
        const inMode = cluster.varying(({ cluster: wanted }) => {
          wanted.replication = { mode };
        });
        await inMode.deploy();
        await inMode.replicates(mode);
        expect(await lives(), mode).toEqual(before);
        if (FULL) await inMode.unchanged();
      }
    },
    FULL ? 3_600_000 : undefined,
  );
});

describe("a running cluster", () => {
  test("takes a setting that needs a restart one member after the other, and clients go on writing", async () => {
    const raised = cluster.varying(({ cluster: { postgresql } }) => {
      Object.assign(postgresql as object, { parameters: { max_connections: 150 } });
    });
    await cluster.sql(5000, "create table probe (id int)");
    const leader = leaderOf(await cluster.healthy());
    expect(await raised.pulumi("preview")).toMatch(
      new RegExp(`max_connections: 100 → 150: needs a restart.* a switchover from ${leader} to`),
    );
    const { written, failed, longestMs } = await cluster.writesDuring(() => raised.deploy());
    process.stdout.write(`rolling restart: no write for ${longestMs} ms, ${failed} failed\n`);
    expect(leaderOf(await cluster.healthy())).not.toBe(leader);
    for (const member of DATABASES) {
      expect(await cluster.superuserSql(member, "show max_connections")).toBe("150");
    }
    const found = Number(await cluster.sql(5000, "select count(distinct id) from probe"));
    expect(found).toBeGreaterThanOrEqual(written);
    expect(found).toBeLessThanOrEqual(written + failed);
  });

  test("is finished by the next run where one was killed, and settings go back as they came", async () => {
    const folder = mkdtempSync(join(tmpdir(), "pgherd-"));
    const interruption = { how: "provider", when: "after", step: "changing the dynamic config" };
    writeFileSync(join(folder, "interruption"), JSON.stringify(interruption));
    const killed = await labExec(
      LAB,
      [
        ...["sh", "-c", '"$@" 2>&1; echo "ended with $?"', "sh"],
        ...cluster.argv("up", "--yes", "--skip-preview"),
      ],
      { env: { PGHERD_TEST_STEPS: folder } },
    );
    expect(killed).not.toMatch(/ended with 0/);
    await cluster.deploy();
    for (const member of DATABASES) {
      expect(await cluster.superuserSql(member, "show max_connections")).toBe("100");
    }
    await cluster.healthy();
  });

  test("shows what somebody has changed on its hosts, and one run repairs exactly that", async () => {
    const leader = leaderOf(await cluster.healthy());
    await Promise.all([
      cluster.onHost("lb2", "echo '# mine' | sudo tee -a /etc/haproxy/haproxy.cfg >/dev/null"),
      cluster.onHost("db2", "sudo systemctl disable -q etcd"),
      cluster.onHost("db3", "sudo chmod 0644 /etc/patroni/pgherd/20-secrets.yml"),
      cluster.onHost("db1", "sudo nft add rule inet pgherd input tcp dport 9999 accept"),
      cluster.superuserSql(leader, "alter role app connection limit 3"),
    ]);
    const said = JSON.parse(await cluster.pulumi("preview", "--json")) as {
      steps: { op: string; urn: string }[];
    };
    const changed = said.steps.filter(({ op }) => op === "update").map(({ urn }) => urn);
    expect(changed.map((urn) => urn.split("::").at(-1)).sort()).toEqual([
      "demo-db1-firewall",
      "demo-db2-etcd",
      "demo-db3-patroni",
      "demo-lb2-haproxy",
      "demo-patroni-cluster",
    ]);
    await cluster.deploy();
    await cluster.unchanged();
  });
});

describe("an operator", () => {
  /** What a verb that changes the leader says, as JSON. */
  interface Outcome {
    readonly from: string;
    readonly to: string;
    readonly interruption?: Interruption;
  }

  test("hands the lead over by a command, which says how long writes stood still", async () => {
    const before = await cluster.healthy();
    const said = await cluster.pgherd("switchover", "--yes", "--json");
    expectHandedOver(leaderOf(before), JSON.parse(said) as Outcome);
    const after = await cluster.healthy();
    expect(leaderOf(after)).not.toBe(leaderOf(before));
    expect(timelineOf(after)).toBe(timelineOf(before) + 1);
    await expect(cluster.pgherd("switchover", "--yes", "--to", leaderOf(after))).rejects.toThrow(
      `${leaderOf(after)} leads already.`,
    );
  });

  test("has etcd led from another host than the primary's, so that no power cut takes both leaders", async () => {
    const before = await cluster.healthy();
    const heir = before.members.find(({ role }) => role === "sync_standby")?.name ?? "";
    await etcdLedBy(heir);
    await cluster.pgherd("switchover", "--yes", "--to", heir);
    await until(`etcd to be led from another host than ${heir}`, 30, async () => {
      const leader = await etcdLeader();
      return leader !== "" && leader !== heir ? true : undefined;
    });
    await cluster.healthy();
  });

  async function etcdLeader(): Promise<string> {
    return (await cluster.status()).dcs.members.find(({ leader }) => leader)?.host ?? "";
  }

  async function etcdLedBy(name: string): Promise<void> {
    const leader = await etcdLeader();
    if (leader === name) return;
    const id = `sudo etcdctl member list | sed -n 's/^\\([0-9a-f]*\\), started, ${name},.*/\\1/p'`;
    await cluster.onHost(leader, `sudo etcdctl move-leader "$(${id})"`);
  }

  test("does the same by the API, over TLS, where a probe is running", async () => {
    const before = leaderOf(await cluster.healthy());
    const served = await serve(LAB, await certificate());
    try {
      // Neither in the clear, nor to who does not know the certificate.
      await expect(fetch(served.url.replace("https:", "http:"))).rejects.toThrow();
      await expect(fetch(served.url)).rejects.toThrow();
      expectHandedOver(before, await served.call<Outcome>("POST", "switchover", {}));
      const { report } = await served.call<{ report: ProbeReport }>("GET", "probe");
      expect(report.writes.succeeded).toBeGreaterThan(0);
    } finally {
      await served.stop();
    }
  });

  /** A file with a certificate for this machine, and its key. */
  async function certificate(): Promise<string> {
    const made = await cluster.onHost(
      "db1",
      "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout - -days 1 -subj /CN=test -addext subjectAltName=IP:127.0.0.1 2>/dev/null",
    );
    const file = join(mkdtempSync(join(tmpdir(), "pgherd-")), "server.pem");
    writeFileSync(file, made, { mode: 0o600 });
    return file;
  }

  function timelineOf({ members }: ClusterStatus): number {
    return Math.max(...members.map(({ timeline }) => timeline ?? 0));
  }

  function expectHandedOver(before: string, { from, to, interruption }: Outcome): void {
    expect(from).toBe(before);
    expect(DATABASES).toContain(to);
    expect(interruption).toMatchObject({ kind: "writes", before: from, after: to });
    process.stdout.write(`switchover: no write for ${interruption?.ms} ms\n`);
  }
});

describe("timings", () => {
  full("each profile's are those that Patroni, etcd and HAProxy run by", async () => {
    for (const profile of ["fast", "default"] as const) {
      const { ttl, loopWait, retryTimeout, checks } = PROFILES[profile];
      const { downInterval: outInterval = checks.fastInterval } = checks;
      const inProfile = cluster.varying(({ cluster: wanted }) => {
        wanted.failover = { profile };
      });
      await inProfile.deploy();
      expect(await cluster.dynamicConfiguration(), profile).toMatchObject({
        ttl,
        loop_wait: loopWait,
        retry_timeout: retryTimeout,
      });
      await until(`a lease of ${ttl} seconds`, 60, async () =>
        (await cluster.leaderLease()) === ttl ? true : undefined,
      );
      const entrances = await settledEntrances("lb1");
      // HAProxy asks once for each entrance, and more often where the member is out.
      const expected = Object.values(entrances)
        .map((members) => 1 / (members.includes("db1") ? checks.interval : outInterval))
        .reduce((sum, rate) => sum + rate, 0);
      const counted = await checksPerSecond("db1", "10.89.0.31");
      expect(counted / expected, `${profile}: ${counted}/s, not ${expected}/s`).toBeGreaterThan(
        0.65,
      );
      expect(counted / expected, `${profile}: ${counted}/s, not ${expected}/s`).toBeLessThan(1.15);
    }
  });

  /** The members behind a balancer's entrances, once each has those of its role. */
  function settledEntrances(balancer: string): Promise<Entrances> {
    return until("each entrance leads to its members", 60, async () => {
      const seen = (await cluster.status()).loadBalancers.find(({ host }) => host === balancer);
      const counts = ["primary", "replica", "synchronous", "asynchronous"].map(
        (name) => seen?.entrances[name]?.length,
      );
      return counts.join(" ") === "1 2 1 1" ? seen?.entrances : undefined;
    });
  }

  /** How often a balancer connects to a member's REST API, as the member's own kernel counts. */
  async function checksPerSecond(member: string, balancer: string): Promise<number> {
    const seconds = 20;
    const counted = await cluster.onHost(
      member,
      "sudo sh",
      `set -e
       nft -f - <<'rules'
table inet count {
  chain incoming {
    type filter hook input priority -10; policy accept;
    ip saddr ${balancer} tcp dport 8008 tcp flags & (syn | ack) == syn counter
  }
}
rules
       sleep ${seconds}
       nft list table inet count | sed -n 's/.*counter packets \\([0-9]*\\).*/\\1/p'
       nft delete table inet count
`,
    );
    return Number(counted) / seconds;
  }
});

describe("secrets", () => {
  test("a generated password stands in no state file, log, command line or file that others can read", async () => {
    const { passwords, statsPassword } = await cluster.outputs();
    const { stdout: inState } = await tryRun(["grep", "-rlF", passwords.app, labPaths(LAB).pulumi]);
    expect(inState).toBe("");
    const search = Buffer.from(
      `p='${passwords.app}'; r='${await replicationPassword()}'; s='${statsPassword}'
       cp /var/lib/seen-arguments /var/lib/seen-before # The search itself has the secrets in its arguments.
       for secret in "$p" "$r" "$s"; do
         journalctl --no-pager -o cat | grep -qF "$secret" && echo journal
         grep -qF "$secret" /var/lib/seen-before && echo arguments
         find /etc /var /run /tmp /home /root -xdev -type f -perm /o=r -size -4M -exec grep -lF "$secret" {} +
       done; :`,
    ).toString("base64");
    for (const host of HOSTS) {
      expect(await cluster.onHost(host, `echo ${search} | base64 -d | sudo sh`), host).toBe("");
    }
    // The search itself must be able to find something.
    expect(await cluster.onHost("db1", "sudo grep -c patroni /var/lib/seen-arguments")).not.toBe(
      "0\n",
    );
  });

  async function replicationPassword(): Promise<string> {
    const file = await cluster.onHost("db1", "sudo cat /etc/patroni/pgherd/20-secrets.yml");
    return /username: "replicator"\n\s+password: "([^"]+)"/.exec(file)?.[1] ?? "no password found";
  }
});

describe("a fork", () => {
  test("has the database as it was, goes its own way, and leaves nothing when it is dropped", async () => {
    const before = await cluster.healthy();
    const said = await cluster.pgherd("fork", "create", "try");
    expect(said).toContain("takes connections after");
    const [fork] = JSON.parse(await cluster.pgherd("fork", "list", "--json")) as Fork[];
    expect(fork).toMatchObject({ name: "try", state: "running" });
    expect(fork?.host).not.toBe(leaderOf(before));
    const password = (await cluster.pgherd("fork", "password", "try")).trim();
    const script = `read -r PGPASSWORD; export PGPASSWORD; psql -XAtq -h 10.89.0.1${fork?.host.slice(2)} -p ${fork?.port} -U app -d app`;
    const change = "delete from notes where id > 10; select count(*) from notes";
    const from = fork?.host === "db1" ? "db2" : "db1";
    expect(await cluster.onHost(from, `${script} -c "${change}"`, `${password}\n`)).toBe("10\n");
    expect(await cluster.sql(5000, "select count(*) from notes")).toBe("100");
    expect((await cluster.healthy()).members).toHaveLength(before.members.length);
    await cluster.pgherd("fork", "drop", "try");
    expect(await cluster.pgherd("fork", "list", "--json")).toBe("[]\n");
  });
});

/** Whole segments of 16 MB between the place where a leader was promoted, as its history tells, and where it writes. */
const SEGMENTS_SINCE_PROMOTION = `select trunc((pg_current_wal_lsn() - '0/0') / 16777216) - trunc((promoted - '0/0') / 16777216)
  from (select (regexp_match(pg_read_file('pg_wal/' || left(pg_walfile_name(pg_current_wal_lsn()), 8) || '.history'),
    '([0-9A-F]+/[0-9A-F]+)[^\\n]*\\s*$'))[1]::pg_lsn as promoted) as history`;

describe("failures", () => {
  test("when PostgreSQL of the leader is killed under load, no acknowledged row is lost", async () => {
    const { run: played, verdict } = await experiment(cluster, {
      name: "PostgreSQL of the leader killed",
      lasts: 1,
      wish: ({ leader }) => ({ kind: "kill", args: { host: leader, process: "postgres" } }),
    });
    expect(brokenPromises(verdict, { durable: true })).toEqual([]);
    expect(played.notRecovered).toEqual([]);
    await cluster.onHost(
      leaderOf(await cluster.healthy()),
      "cd / && sudo -u postgres psql -qd app -c 'drop table chaos, chaos_probe'",
    );
  });

  test("when the leader loses power another member leads, and the old one comes back as a replica", async () => {
    const old = leaderOf(await cluster.healthy());
    await powerOff(LAB, [old]);
    const leader = await cluster.otherLeader(old);
    await powerOn(LAB, [old]);
    const back = await cluster.healthy();
    expect(leaderOf(back)).toBe(leader);
    expect(new Set(back.members.map(({ timeline }) => timeline)).size).toBe(1);
    expect(await cluster.sql(5000, "select count(*) from notes")).toBe("100");
    // The next promotion begins in another segment: the leader could not send the whole of one in which two have begun.
    await until("the segment in which it was promoted has ended", 10, async () =>
      (await cluster.superuserSql(leader, SEGMENTS_SINCE_PROMOTION)) > "0" ? true : undefined,
    );
  });

  // tools/setup-browser, which `npm test` runs first, says why where there is none.
  test.skipIf(BROWSER === undefined)(
    "who pulls the leader's plug in the page sees there who leads next, and the old one come back",
    async () => {
      const old = leaderOf(await cluster.healthy());
      const served = await serve(LAB);
      const browser = await openBrowser();
      try {
        const page = await browser.newPage();
        const mistakes: string[] = [];
        page.on("pageerror", ({ message }) => mistakes.push(message));
        await page.goto(`${served.url}#token=${served.token}`);
        const card = (host: string, roles: string) =>
          page.locator(`[data-host="${host}"]:is(${roles})`).waitFor({ timeout: 180_000 });
        await card(old, '[data-role="leader"]');
        const plug = page.getByRole("switch", { name: `Power of ${old}` });
        await plug.focus();
        await page.keyboard.press("Space");
        await page.getByRole("button", { name: `Cut the power of ${old}` }).click();
        await page
          .locator(`[data-role="leader"]:not([data-host="${old}"])`)
          .waitFor({ timeout: 180_000 });
        await page.getByRole("list", { name: "Interruptions of writes" }).waitFor();
        await expect.poll(() => plug.getAttribute("aria-checked")).toBe("false");
        await plug.click();
        await card(old, '[data-role="replica"], [data-role="sync_standby"]');
        expect(page.url()).not.toContain(served.token);
        expect(mistakes).toEqual([]);
      } finally {
        await browser.close();
        await served.stop();
        await powerOn(LAB, [old]);
      }
      expect(leaderOf(await cluster.healthy())).not.toBe(old);
    },
  );

  test.skipIf(BROWSER === undefined)(
    "the page restarts a replica and copies it anew, and makes somebody lead where nobody does",
    async () => {
      const before = await cluster.healthy();
      const leader = leaderOf(before);
      const replica = before.members.find(({ role }) => role === "replica")?.name ?? "";
      const served = await serve(LAB);
      const browser = await openBrowser();
      try {
        const page = await browser.newPage();
        await page.goto(`${served.url}#token=${served.token}`);
        expect(await restartInPage(page, replica)).toContain(`${replica} runs again, after`);
        expect(await copyInPage(page, replica)).toContain(`${replica} is a new copy and streams`);
        // Patroni would choose by itself otherwise.
        await page.getByRole("button", { name: "Pause" }).click();
        await page.getByRole("button", { name: "Resume" }).waitFor({ timeout: 60_000 });
        await powerOff(LAB, [leader]);
        expect(await failOverInPage(page)).toMatch(/db\d leads, after/);
        await page.getByRole("button", { name: "Resume" }).click();
        await page.getByRole("button", { name: "Pause" }).waitFor({ timeout: 60_000 });
      } finally {
        await browser.close();
        await served.stop();
        await powerOn(LAB, [leader]);
      }
      expect(leaderOf(await cluster.healthy())).not.toBe(leader);
    },
  );

  full("a member with nofailover never leads", async () => {
    const before = await cluster.healthy();
    const leader = leaderOf(before);
    const tagged = synchronousOf(before);
    const careful = cluster.varying(({ cluster: wanted }) => {
      wanted.members = DATABASES.map((host) =>
        host === tagged ? { host, tags: { nofailover: true } } : host,
      );
    });
    await careful.deploy();
    // Only a synchronous replica takes over by itself, so the other one must have become that first.
    await until("another synchronous replica", 90, async () => {
      const seen = synchronousOf(await cluster.status());
      return seen !== "" && seen !== tagged ? seen : undefined;
    });
    await powerOff(LAB, [leader]);
    const next = await cluster.otherLeader(leader);
    expect([leader, tagged]).not.toContain(next);
    await powerOn(LAB, [leader]);
    expect(leaderOf(await cluster.healthy())).toBe(next);
    await cluster.deploy();
    await cluster.healthy();
  });

  test("when HAProxy ends on the holder of the virtual IP, the other balancer takes the address", async () => {
    const holder = holderOf(await cluster.healthy());
    await cluster.onHost(holder, "sudo systemctl stop haproxy");
    const next = await until("another holder", 60, async () => {
      const found = (await cluster.status()).loadBalancers.filter(({ holdsVip }) => holdsVip);
      return found.length === 1 && found[0]?.host !== holder ? found[0]?.host : undefined;
    });
    expect(next).not.toBe(holder);
    expect(await cluster.sql(5000, "select 1")).toBe("1");
    // The stopped unit is drift: a refreshing run starts it again, and touches nothing else.
    await cluster.deploy("--refresh");
    expect(await cluster.onHost(holder, "systemctl is-active haproxy")).toBe("active\n");
    expect(holderOf(await cluster.healthy())).toBe(next);
  });

  full("a load balancer without power costs no connection point", async () => {
    const holder = holderOf(await cluster.healthy());
    const other = holder === "lb1" ? "lb2" : "lb1";
    await powerOff(LAB, [holder]);
    await until("the other balancer has the virtual IP", 30, async () => {
      const held = await cluster.onHost(other, "ip -o address show");
      return held.includes(" 10.89.0.100/") ? true : undefined;
    });
    expect(await cluster.sql(5000, "select 1")).toBe("1");
    await powerOn(LAB, [holder]);
    expect(holderOf(await cluster.healthy())).toBe(other);
  });

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

  full(
    "a member whose data disk is not mounted does not start, and the status says why",
    async () => {
      const replica = synchronousOf(await cluster.healthy());
      const asRoot = (script: string) => cluster.onHost(replica, "sudo sh -e", script);
      const disk = "/var/lib/postgresql";
      // Inside the host nobody could mount the device itself again.
      await asRoot(`systemctl stop patroni
mkdir /mnt/disk
mount --bind ${disk} /mnt/disk
umount ${disk}
systemctl --no-block start patroni`);
      const said = await until("the reason", 60, async () => {
        const { problems } = await cluster.status();
        return problems.find((one) => one.includes("is not there: it was mounted at"));
      });
      expect(said).toContain(`${replica}: `);
      expect(await asRoot(`ls -A ${disk}`)).toBe("");
      await asRoot(`mount --bind /mnt/disk ${disk}
umount /mnt/disk
systemctl start patroni`);
      await cluster.healthy();
    },
  );

  full(
    "a data directory that is a file system of its own, with its lost+found, is copied anew",
    async () => {
      const replica = synchronousOf(await cluster.healthy());
      const data = "/var/lib/postgresql/17/main";
      const asRoot = (script: string) => cluster.onHost(replica, "sudo sh -e", script);
      await asRoot(`systemctl stop patroni
mv ${data} ${data}.old
install -d -o postgres -g postgres -m 0700 ${data}
mount -t tmpfs -o size=2g,mode=0700,uid=$(id -u postgres),gid=$(id -g postgres) tmpfs ${data}
mkdir -m 0700 ${data}/lost+found
cp -a ${data}.old/. ${data}/
systemctl start patroni`);
      await cluster.healthy();
      await cluster.pgherd("reinit", replica, "--yes");
      await cluster.healthy();
      await asRoot(`systemctl stop patroni
umount ${data}
rm -rf ${data} /var/lib/pgherd/data-mount
mv ${data}.old ${data}
systemctl start patroni`);
      await cluster.healthy();
    },
  );

  test("after a power cut of all hosts at once everything comes back by itself and takes writes", async () => {
    await powerOff(LAB, HOSTS);
    await powerOn(LAB, HOSTS);
    await cluster.healthy(300);
    const write =
      "insert into notes values (101) on conflict (id) do update set at = now() returning id";
    const written = await until("a write through the virtual IP", 60, () =>
      cluster.sql(5000, write),
    );
    expect(written).toBe("101");
    await cluster.sql(5000, "delete from notes where id = 101");
    expect(await cluster.sql(5000, "select count(*) from notes")).toBe("100");
  });

  full("a power cut leaves nothing for the next pulumi up to do", () => cluster.unchanged());

  function synchronousOf(seen: ClusterStatus): string {
    return seen.members.find(({ role }) => role === "sync_standby")?.name ?? "";
  }

  function holderOf(seen: ClusterStatus): string {
    return seen.loadBalancers.find(({ holdsVip }) => holdsVip)?.host ?? "";
  }
});

describe("the end and the beginning", () => {
  test("pulumi destroy leaves the data, and the next pulumi up takes it up again", async () => {
    const before = await cluster.outputs();
    await cluster.pulumi("destroy", "--yes", "--skip-preview");
    for (const host of DATABASES) {
      expect(await cluster.onHost(host, "sudo cat /var/lib/postgresql/17/main/PG_VERSION")).toBe(
        "17\n",
      );
      expect(await cluster.onHost(host, "find /proc -maxdepth 1 -user postgres | wc -l")).toBe(
        "0\n",
      );
    }
    await cluster.deploy();
    await cluster.healthy();
    expect((await cluster.outputs()).systemIdentifier).toBe(before.systemIdentifier);
    expect(await cluster.sql(5000, "select count(*) from notes")).toBe("100");
  });
});

function sshOption(name: string): string {
  const config = readFileSync(labPaths(LAB).sshConfig, "utf8");
  return new RegExp(`${name} "?([^"\n]+)"?`).exec(config)?.[1] ?? "";
}
