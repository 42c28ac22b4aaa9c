import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { ClusterStatus } from "../../../src/operations/status";
import type { Interruption, ProbeReport } from "../../../src/probe/report";
import { leaderOf, until } from "../lab-cluster";
import { serve } from "../served";
import { LAB } from "./lab";
import { cluster, DATABASES, standing } from "./standing";

standing();

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
    const served = await serve(LAB, { pem: await certificate() });
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
