import { spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { addHost } from "../../src/lab/add-host";
import { hostCgroups, isPopulated } from "../../src/lab/cgroup";
import { down } from "../../src/lab/down";
import { hostExec, labExec } from "../../src/lab/exec";
import { labPaths } from "../../src/lab/paths";
import { powerOff, powerOn, reset } from "../../src/lab/power";
import { tryRun } from "../../src/lab/run";
import { labStatus } from "../../src/lab/status";
import { up } from "../../src/lab/up";
import { full } from "./harness";

const LAB = "t-lab";
const BESIDE = "t-lab-beside";
const PGHERD = "bin/pgherd";

afterAll(async () => {
  await down(LAB);
  await down(BESIDE);
});

describe("a lab that is up", () => {
  beforeAll(async () => {
    await down(LAB);
    await up(LAB, { topology: "small" });
  });

  test("has hosts that let deploy in and give it sudo without a password", async () => {
    for (const host of ["db1", "db2", "witness"])
      expect(await hostExec(LAB, host, "hostname; id -un; sudo -n id -un")).toBe(
        `${host}\ndeploy\nroot\n`,
      );
  });

  test("refuses root's login, and hosts whose key is another one", async () => {
    const ssh = ["ssh", "-F", labPaths(LAB).sshConfig, "-o", "BatchMode=yes"];
    await expect(labExec(LAB, [...ssh, "root@db1", "true"])).rejects.toThrow("Permission denied");
    const other = ["-o", "HostKeyAlias=db2", "db1", "true"];
    await expect(labExec(LAB, [...ssh, ...other])).rejects.toThrow("Host key verification failed");
  });

  test("has no way out, from the hosts or from where Pulumi runs", async () => {
    expect(await labExec(LAB, ["ip", "route", "show", "default"])).toBe("");
    expect(await hostExec(LAB, "db1", "ip route show default; ip -6 route show default")).toBe("");
  });

  test("has hosts that reach each other by IPv4 and IPv6", async () => {
    for (const address of ["10.89.0.12", "fd00:89::12"])
      expect(
        await hostExec(LAB, "db1", `bash -c 'read -r line </dev/tcp/${address}/22; echo $line'`),
      ).toMatch(/^SSH-2\.0-/);
  });

  test("has hosts that install packages without a network", async () => {
    expect(await hostExec(LAB, "db1", "apt-cache policy patroni")).toMatch(/Candidate: 4\./);
    await hostExec(LAB, "db1", "sudo apt-get -qq install rsync 2>&1");
    expect(await hostExec(LAB, "db1", "rsync --version")).toMatch(/^rsync/);
  });

  test("has hosts whose firewall is their own", async () => {
    await hostExec(LAB, "db2", "sudo nft add table inet probe");
    expect(await hostExec(LAB, "db2", "sudo nft list tables")).toBe("table inet probe\n");
    expect(await hostExec(LAB, "db1", "sudo nft list tables")).toBe("");
  });

  test("is left alone by a second lab up", async () => {
    const before = labStatus(LAB);
    await up(LAB);
    await up(LAB, { topology: "small", distro: "trixie" });
    expect(labStatus(LAB)).toEqual(before);
  });

  test("is not turned into another topology", async () => {
    await expect(up(LAB, { topology: "large" })).rejects.toThrow(
      'lab "t-lab": expected topology large on trixie, found topology small on trixie.\n' +
        'Run "pgherd lab down --name t-lab" first, or take another --name for a lab beside it.',
    );
  });

  test("refuses a host it does not have", async () => {
    await expect(powerOff(LAB, ["db7"])).rejects.toThrow(
      'lab "t-lab": it has no host "db7"; its hosts are db1 db2 witness.',
    );
  });

  test("gets blank hosts back in seconds, with the same host key", async () => {
    const machineId = await hostExec(LAB, "db1", "cat /etc/machine-id");
    await hostExec(LAB, "db1", "echo precious | sudo tee /var/lib/mark");
    const started = Date.now();
    await reset(LAB, ["db1"]);
    expect(Date.now() - started).toBeLessThan(60_000);
    expect(await hostExec(LAB, "db1", "ls /var/lib/mark || true; which rsync || true")).toBe("");
    expect(await hostExec(LAB, "db1", "cat /etc/machine-id")).toBe(machineId);
  });

  test("keeps the disk of a host whose power is cut", async () => {
    await hostExec(LAB, "db1", "echo precious | sudo tee /var/lib/mark; sync");
    await powerOff(LAB, ["db1"]);
    expect(isPopulated(hostCgroups(LAB, "db1"))).toBe(false);
    expect(labStatus(LAB).hosts[0]).toMatchObject({ name: "db1", state: "off", pid: null });
    await powerOff(LAB, ["db1"]);
    await powerOn(LAB, ["db1"]);
    expect(await hostExec(LAB, "db1", "cat /var/lib/mark")).toBe("precious\n");
  });

  test("cuts and restores the power of several hosts at once", async () => {
    await powerOff(LAB, ["db2", "witness"]);
    await Promise.all([powerOn(LAB, ["db2"]), powerOn(LAB, ["witness"])]);
    expect(labStatus(LAB).hosts.map((host) => host.state)).toEqual(["up", "up", "up"]);
  });

  test("survives a host's own restart, and lab up starts hosts that switched themselves off", async () => {
    const before = labStatus(LAB).hosts[1]?.pid;
    await hostExec(LAB, "db2", "sudo systemctl reboot").catch(() => undefined);
    await until("db2 has restarted", async () => {
      const pid = labStatus(LAB).hosts[1]?.pid;
      return pid !== null && pid !== before && (await answers("db2"));
    });
    await hostExec(LAB, "witness", "sudo systemctl poweroff").catch(() => undefined);
    await until("witness is off", () => labStatus(LAB).hosts[2]?.state === "off");
    await up(LAB);
    expect(labStatus(LAB).hosts[2]?.state).toBe("up");
  });

  test("takes one more host in", async () => {
    const added = await addHost(LAB, "stranger");
    expect(added.address).toBe("10.89.0.200");
    expect(await hostExec(LAB, "stranger", "hostname")).toBe("stranger\n");
  });

  test("lets one command change it at a time", async () => {
    const resetting = reset(LAB, ["witness"]);
    await until("the reset has begun", () => labStatus(LAB).hosts[2]?.state !== "up");
    await expect(up(LAB)).rejects.toThrow(
      /^lab "t-lab": another command is at work on it \(pid \d+, lab reset\)\./,
    );
    await resetting;
  });
});

describe("pgherd lab exec", () => {
  const exec = ["exec", "--name", LAB, "--"];

  test("passes the exit code on, and the lab's environment in", async () => {
    expect((await pgherd(...exec, "sh", "-c", "exit 42")).code).toBe(42);
    const { stdout } = await pgherd(...exec, "sh", "-c", "echo $PGHERD_LAB $PULUMI_BACKEND_URL");
    expect(stdout).toBe(`${LAB} file://${labPaths(LAB).dir}/pulumi\n`);
  });

  test("says what to do when there is no such lab", async () => {
    expect(await pgherd("exec", "--name", "t-none", "--", "true")).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(
        /^lab "t-none": there is no such lab\.\nRun: pgherd lab up --name t-none$/m,
      ) as string,
    });
  });
});

full("a lab up that is killed at any moment is completed by the next one", async () => {
  for (const moment of [begun, halfBooted, oneHostUp]) {
    await down(LAB);
    const child = spawn(PGHERD, ["lab", "up", "--name", LAB, "--topology", "small"], {
      stdio: "ignore",
    });
    await until(`lab up has come to "${moment.name}"`, moment);
    child.kill("SIGKILL");
    await once(child, "exit");
    await up(LAB, { topology: "small" });
    expect(labStatus(LAB).hosts.map((host) => host.state)).toEqual(["up", "up", "up"]);
  }
});

full("two labs are up side by side, with the same host names and addresses", async () => {
  await up(BESIDE, { topology: "small" });
  await hostExec(BESIDE, "db1", "echo beside | sudo tee /etc/mark");
  expect(await hostExec(LAB, "db1", "cat /etc/mark 2>/dev/null || echo none")).toBe("none\n");
  await down(BESIDE);
  expect(await hostExec(LAB, "db1", "hostname")).toBe("db1\n");
});

full("lab down leaves nothing behind, not even of a half-made lab", async () => {
  expect(await leftovers(LAB)).not.toEqual([]);
  await down(LAB);
  expect(await leftovers(LAB)).toEqual([]);

  const child = spawn(PGHERD, ["lab", "up", "--name", LAB], { stdio: "ignore" });
  await until("hosts are booting", halfBooted);
  child.kill("SIGKILL");
  await once(child, "exit");
  await down(LAB);
  expect(await leftovers(LAB)).toEqual([]);
  await down(LAB);
});

function pgherd(...args: string[]) {
  return tryRun([PGHERD, "lab", ...args]);
}

function begun(): boolean {
  return fs.existsSync(labPaths(LAB).hosts);
}

function halfBooted(): boolean {
  return isPopulated(hostCgroups(LAB, "db1"));
}

function oneHostUp(): boolean {
  return (
    fs.existsSync(labPaths(LAB).state) && labStatus(LAB).hosts.some((host) => host.state === "up")
  );
}

async function answers(host: string): Promise<boolean> {
  return hostExec(LAB, host, "true").then(
    () => true,
    () => false,
  );
}

async function until(what: string, met: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 120_000;
  while (!(await met())) {
    if (Date.now() > deadline) throw new Error(`Waited 120 s in vain until ${what}.`);
    await sleep(20);
  }
}

/** Processes, mounts, control groups, namespace and files that belong to a lab. */
async function leftovers(name: string): Promise<string[]> {
  const { stdout: cgroups } = await tryRun(["find", "/sys/fs/cgroup", "-path", `*/pgherd/${name}`]);
  const { stdout: namespaces } = await tryRun(["ip", "netns", "list"]);
  const paths = labPaths(name);
  const processes = fs.readdirSync("/proc").filter((entry) => {
    if (!/^\d+$/.test(entry)) return false;
    try {
      // Dead ones that process 1 has not heard of yet do not count.
      if (/\) [ZX] /.test(fs.readFileSync(`/proc/${entry}/stat`, "utf8"))) return false;
      return fs.readFileSync(`/proc/${entry}/cgroup`, "utf8").includes(`/pgherd/${name}/`);
    } catch {
      return false;
    }
  });
  const mounts = fs.readFileSync("/proc/mounts", "utf8").split("\n");
  return [
    ...processes.map((pid) => `process ${pid}`),
    ...mounts.filter((line) => line.includes(paths.dir) || line.includes(` ${paths.netns} `)),
    ...cgroups.split("\n").filter(Boolean),
    ...namespaces.split("\n").filter((line) => line.split(" ")[0] === name),
    ...[paths.dir, paths.claim, paths.netns].filter((file) => fs.existsSync(file)),
  ];
}
