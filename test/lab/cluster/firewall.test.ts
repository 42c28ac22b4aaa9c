import { BlockList, isIPv6 } from "node:net";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { addHost } from "../../../src/lab/add-host";
import { labExec } from "../../../src/lab/exec";
import { run } from "../../../src/lab/run";
import { labStatus } from "../../../src/lab/status";
import type { Flow } from "../../../src/plan/types";
import { FULL, full, ROOT } from "../harness";
import { LAB } from "./lab";
import { cluster, standing } from "./standing";

standing();

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
