import { describe, expect, test } from "vitest";
import { powerOff, powerOn } from "../../../src/lab/power";
import { full } from "../harness";
import { until } from "../lab-cluster";
import { LAB } from "./lab";
import { cluster, holderOf, standing } from "./standing";

standing();

describe("the balancers", () => {
  test("each port leads to the members of its role", async () => {
    const seen = await cluster.healthy();
    const role = (wanted: string) => seen.members.find((member) => member.role === wanted)?.name;
    const address = { db1: "10.89.0.11", db2: "10.89.0.12", db3: "10.89.0.13" } as Record<
      string,
      string
    >;
    const where = "select host(inet_server_addr())";
    expect(await cluster.sql(5000, where)).toBe(address[role("leader") ?? ""]);
    expect(await cluster.sql(5002, where)).toBe(address[role("sync_standby") ?? ""]);
    expect(await cluster.sql(5003, where)).toBe(address[role("replica") ?? ""]);
    expect(await cluster.sql(5001, "select pg_is_in_recovery()")).toBe("t");
    expect(await cluster.sql(5002, "select count(*) from notes")).toBe("100");
  });

  test("their statistics page asks everyone but the host itself for a password", async () => {
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
});
