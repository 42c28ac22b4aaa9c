import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { down } from "../../src/lab/down";
import { hostExec, labExec } from "../../src/lab/exec";
import { labPaths } from "../../src/lab/paths";
import { powerOff, powerOn } from "../../src/lab/power";
import { tryRun } from "../../src/lab/run";
import { up } from "../../src/lab/up";
import type { ClusterStatus } from "../../src/operations/status";

// One cluster on real hosts, through its life. The tests build on each other, as days in production do.

const LAB = "t-cluster";
const DATABASES = ["db1", "db2", "db3"];
const HOSTS = [...DATABASES, "lb1", "lb2"];

const root = join(__dirname, "../..");

function pulumi(...args: string[]): Promise<string> {
  return labExec(LAB, ["pulumi", "-C", root, ...args, "--stack", "lab", "--non-interactive"]);
}

function deploy(): Promise<string> {
  return pulumi("up", "--yes", "--skip-preview");
}

async function status(): Promise<ClusterStatus> {
  // A cluster that is not healthy ends it with code 2; what it printed is what counts here.
  const command = `${process.execPath} ${root}/bin/pgherd status --json || [ $? = 2 ]`;
  return JSON.parse(await labExec(LAB, ["sh", "-c", command])) as ClusterStatus;
}

async function until<T>(
  what: string,
  seconds: number,
  look: () => Promise<T | undefined>,
): Promise<T> {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const found = await look().catch(() => undefined);
    if (found !== undefined) return found;
    if (Date.now() > end) throw new Error(`${what}: not within ${seconds} seconds`);
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}

function healthy(seconds = 180): Promise<ClusterStatus> {
  return until("healthy", seconds, async () => {
    const seen = await status();
    return seen.healthy ? seen : undefined;
  });
}

function leaderOf(seen: ClusterStatus): string {
  return seen.members.find(({ role }) => role === "leader")?.name ?? "";
}

interface Outputs {
  readonly passwords: { readonly app: string };
  readonly systemIdentifier: string;
}

async function outputs(): Promise<Outputs> {
  return JSON.parse(await pulumi("stack", "output", "--json", "--show-secrets")) as Outputs;
}

/** Runs SQL as the user app through the virtual IP, from a member, which has psql. */
async function sql(port: number, text: string): Promise<string> {
  const { passwords } = await outputs();
  // Not in the command line: a test looks there for passwords.
  const script = `read -r PGPASSWORD; export PGPASSWORD; psql -XAtq -h 10.89.0.100 -p ${port} -U app -d app -c "${text}"`;
  return (await hostExec(LAB, "db1", script, { input: `${passwords.app}\n` })).trim();
}

function onHost(host: string, command: string): Promise<string> {
  return hostExec(LAB, host, command);
}

beforeAll(async () => {
  await down(LAB);
  await up(LAB, { topology: "standard", distro: "trixie" });
  await labExec(LAB, ["pulumi", "-C", root, "stack", "select", "--create", "lab"]);
  await Promise.all(DATABASES.map((host) => onHost(host, WATCH_ARGUMENTS)));
}, 1_200_000);

afterAll(() => down(LAB));

/** Collects every command line that is ever seen on the host, until the host ends. */
const WATCH_ARGUMENTS =
  'sudo sh -c \'umask 077; (while sleep 0.3; do cat /proc/[0-9]*/cmdline 2>/dev/null | tr "\\0" " "; done ' +
  ">/root/seen-arguments 2>/dev/null </dev/null &) '";

describe("a cluster from nothing", () => {
  test("one pulumi up turns blank hosts into a healthy cluster with a synchronous replica", async () => {
    await deploy();
    const seen = await healthy(60);
    expect(seen.members.map(({ role }) => role).sort()).toEqual([
      "leader",
      "replica",
      "sync_standby",
    ]);
    expect(new Set(seen.members.map(({ timeline }) => timeline)).size).toBe(1);
    expect(seen.loadBalancers.filter(({ holdsVip }) => holdsVip)).toHaveLength(1);
  });

  test("the next pulumi up changes nothing, neither in the state nor on any host", async () => {
    const fingerprint = async (host: string) =>
      onHost(
        host,
        'sudo sh -c \'find /etc /var/lib/pgherd -type f -exec stat -c "%n %i %Y %Z" {} + | sort; ' +
          "for u in etcd patroni haproxy keepalived; do systemctl show $u.service -p InvocationID -p StateChangeTimestamp; done'",
      );
    const before = await Promise.all(HOSTS.map(fingerprint));
    await pulumi("preview", "--refresh", "--expect-no-changes");
    await pulumi("up", "--yes", "--skip-preview", "--refresh", "--expect-no-changes");
    expect(await Promise.all(HOSTS.map(fingerprint))).toEqual(before);
  });

  test("each port leads to the members of its role", async () => {
    const seen = await healthy();
    const role = (wanted: string) => seen.members.find((member) => member.role === wanted)?.name;
    const address = { db1: "10.89.0.11", db2: "10.89.0.12", db3: "10.89.0.13" } as Record<
      string,
      string
    >;
    await sql(5000, "create table notes (id int primary key, at timestamptz default now())");
    await sql(5000, "insert into notes select generate_series(1, 100)");
    const where = "select host(inet_server_addr())";
    expect(await sql(5000, where)).toBe(address[role("leader") ?? ""]);
    expect(await sql(5002, where)).toBe(address[role("sync_standby") ?? ""]);
    expect(await sql(5003, where)).toBe(address[role("replica") ?? ""]);
    expect(await sql(5001, "select pg_is_in_recovery()")).toBe("t");
    expect(await sql(5002, "select count(*) from notes")).toBe("100");
  });
});

describe("hooks", () => {
  test("the user's own commands run once around a change, here and on a host by an SSH agent", async () => {
    const folder = mkdtempSync(join(tmpdir(), "pgherd-"));
    const settings = parse(readFileSync(join(root, "stacks/Pulumi.lab.yaml"), "utf8")) as {
      config: {
        "pgherd:hosts": Record<string, object>;
        "pgherd:cluster": { hooks?: object[] };
      };
    };
    const knownHosts = readFileSync(sshOption("UserKnownHostsFile"), "utf8").split("\n");
    const hostKey = knownHosts.find((line) => /10\.89\.0\.11\S* ssh-ed25519/.test(line));
    settings.config["pgherd:hosts"].db1 = {
      address: "10.89.0.11",
      user: "deploy",
      hostKey: hostKey?.replace(/^\S+ /, ""),
    };
    const says = (name: string) => `echo ${name} ran >>`;
    settings.config["pgherd:cluster"].hooks = [
      { name: "announce", when: "before", run: `${says("announce")} ${folder}/hooks` },
      { name: "note", when: "after", on: "db1", run: `${says("note")} hooks; id -un >> hooks` },
    ];
    writeFileSync(join(folder, "config.yaml"), stringify(settings));
    const up = `pulumi -C ${root} up --yes --skip-preview --stack lab --config-file ${folder}/config.yaml`;
    const withAgent = `ssh-add -q ${sshOption("IdentityFile")} && ${up} && ${up} --expect-no-changes`;
    await labExec(LAB, ["ssh-agent", "sh", "-c", withAgent]);
    expect(readFileSync(`${folder}/hooks`, "utf8")).toBe("announce ran\n");
    expect(await onHost("db1", "cat hooks")).toBe("note ran\ndeploy\n");
  });
});

function sshOption(name: string): string {
  const config = readFileSync(labPaths(LAB).sshConfig, "utf8");
  return new RegExp(`${name} "?([^"\n]+)"?`).exec(config)?.[1] ?? "";
}

describe("secrets", () => {
  test("a generated password stands in no state file, log, command line or file that others can read", async () => {
    const { passwords } = await outputs();
    const { stdout: inState } = await tryRun(["grep", "-rlF", passwords.app, labPaths(LAB).pulumi]);
    expect(inState).toBe("");
    const search = Buffer.from(
      `p='${passwords.app}'; r='${await replicationPassword()}'
       cp /root/seen-arguments /root/seen-before # The search itself has the secrets in its arguments.
       for secret in "$p" "$r"; do
         journalctl --no-pager -o cat | grep -qF "$secret" && echo journal
         grep -qF "$secret" /root/seen-before && echo arguments
         find /etc /var /run /tmp /home /root -xdev -type f -perm /o=r -size -4M -exec grep -lF "$secret" {} +
       done; :`,
    ).toString("base64");
    for (const host of DATABASES) {
      expect(await onHost(host, `echo ${search} | base64 -d | sudo sh`), host).toBe("");
    }
    // The search itself must be able to find something.
    expect(await onHost("db1", "sudo grep -c patroni /root/seen-arguments")).not.toBe("0\n");
  });

  async function replicationPassword(): Promise<string> {
    const file = await onHost("db1", "sudo cat /etc/patroni/pgherd/20-secrets.yml");
    return /username: "replicator"\n\s+password: "([^"]+)"/.exec(file)?.[1] ?? "no password found";
  }
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
      onHost("lb2", "sudo journalctl -u ssh --no-pager -o cat | grep -c Accepted");
    const before = Number(await logins());
    const script = `PGHERD_SSH_CONFIG=${folder}/config pulumi -C ${root} up --yes --skip-preview --stack lab 2>&1`;
    const run = await labExec(LAB, ["sh", "-c", `${script}; echo "ended with $?"`]);
    expect(run).toMatch(
      /lb2: .* shows another host key than the known one. Nothing was sent to it./,
    );
    expect(run).not.toMatch(/ended with 0/);
    // Only this test's own login to count came in between.
    expect(Number(await logins())).toBe(before + 1);
  });
});

describe("failures", () => {
  test("when the leader loses power another member leads, and the old one comes back as a replica", async () => {
    const old = leaderOf(await healthy());
    await powerOff(LAB, [old]);
    const leader = await until("another leader", 180, async () => {
      const seen = leaderOf(await status());
      return seen !== "" && seen !== old ? seen : undefined;
    });
    expect(leader).not.toBe(old);
    await powerOn(LAB, [old]);
    const back = await healthy();
    expect(leaderOf(back)).toBe(leader);
    expect(new Set(back.members.map(({ timeline }) => timeline)).size).toBe(1);
    expect(await sql(5000, "select count(*) from notes")).toBe("100");
  });

  test("when HAProxy ends on the holder of the virtual IP, the other balancer takes the address", async () => {
    const holder = (await healthy()).loadBalancers.find(({ holdsVip }) => holdsVip)?.host ?? "";
    await onHost(holder, "sudo systemctl stop haproxy");
    const next = await until("another holder", 60, async () => {
      const found = (await status()).loadBalancers.filter(({ holdsVip }) => holdsVip);
      return found.length === 1 && found[0]?.host !== holder ? found[0]?.host : undefined;
    });
    expect(next).not.toBe(holder);
    expect(await sql(5000, "select 1")).toBe("1");
    // The stopped unit is drift: a refreshing run starts it again, and touches nothing else.
    await pulumi("up", "--yes", "--skip-preview", "--refresh");
    expect(await onHost(holder, "systemctl is-active haproxy")).toBe("active\n");
    const after = (await healthy()).loadBalancers.find(({ holdsVip }) => holdsVip)?.host;
    expect(after).toBe(next);
  });
});

describe("the end and the beginning", () => {
  test("pulumi destroy leaves the data, and the next pulumi up takes it up again", async () => {
    const before = await outputs();
    await pulumi("destroy", "--yes", "--skip-preview");
    for (const host of DATABASES) {
      expect(await onHost(host, "sudo cat /var/lib/postgresql/17/main/PG_VERSION")).toBe("17\n");
      expect(await onHost(host, "find /proc -maxdepth 1 -user postgres | wc -l")).toBe("0\n");
    }
    await deploy();
    await healthy();
    expect((await outputs()).systemIdentifier).toBe(before.systemIdentifier);
    expect(await sql(5000, "select count(*) from notes")).toBe("100");
  });
});
