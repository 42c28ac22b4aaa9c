import { expect, test } from "vitest";
import { FAULTS } from "../../src/lab/faults/catalog";
import { cutRules, isolationRules, tableOf } from "../../src/lab/faults/network";

test("a cut drops both directions between each pair", () => {
  expect(cutRules({ from: ["db1"], to: ["db2", "db3"] }).forward).toEqual([
    'iifname "vb-db1" oifname "vb-db2" drop',
    'iifname "vb-db2" oifname "vb-db1" drop',
    'iifname "vb-db1" oifname "vb-db3" drop',
    'iifname "vb-db3" oifname "vb-db1" drop',
  ]);
});

test("a cut of ports drops what goes there and what answers from there", () => {
  expect(cutRules({ from: ["db1"], to: ["db2"], ports: [2379, 2380] }).forward).toEqual([
    'iifname "vb-db1" oifname "vb-db2" tcp dport { 2379, 2380 } drop',
    'iifname "vb-db2" oifname "vb-db1" tcp sport { 2379, 2380 } drop',
  ]);
});

test("a cut of one direction lets the other pass", () => {
  expect(cutRules({ from: ["db2"], to: ["db1"], oneWay: true }).forward).toEqual([
    'iifname "vb-db2" oifname "vb-db1" drop',
  ]);
});

test("a host is not cut off from itself", () => {
  const { forward = [] } = cutRules({ from: ["db1"], to: ["db1", "db2"], oneWay: true });
  expect(forward).toEqual(['iifname "vb-db1" oifname "vb-db2" drop']);
});

test("VRRP alone, and a share of all packets alone, can be lost", () => {
  expect(cutRules({ from: ["lb1"], to: ["lb2"], protocol: 112, oneWay: true }).forward).toEqual([
    'iifname "vb-lb1" oifname "vb-lb2" meta l4proto 112 drop',
  ]);
  expect(cutRules({ from: ["lb1"], to: ["lb2"], loss: 20, oneWay: true }).forward).toEqual([
    'iifname "vb-lb1" oifname "vb-lb2" numgen random mod 100 < 20 drop',
  ]);
});

test("an isolated host is left to the controller's SSH and to nobody else", () => {
  expect(tableOf("0a1b", isolationRules(["db1"]))).toBe(`table bridge pgherd_fault_0a1b {
  chain forward {
    type filter hook forward priority 0; policy accept;
    iifname { "vb-db1" } drop
    oifname { "vb-db1" } drop
  }
  chain input {
    type filter hook input priority 0; policy accept;
    iifname { "vb-db1" } ether type arp accept
    iifname { "vb-db1" } icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept
    iifname { "vb-db1" } ip daddr 10.89.0.1 tcp sport 22 accept
    iifname { "vb-db1" } drop
  }
  chain output {
    type filter hook output priority 0; policy accept;
    oifname { "vb-db1" } ether type arp accept
    oifname { "vb-db1" } icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept
    oifname { "vb-db1" } ip saddr 10.89.0.1 tcp dport 22 accept
    oifname { "vb-db1" } drop
  }
}
`);
});

test("every fault says in words what it is", () => {
  expect(FAULTS.hang.describe({ hosts: ["db1"] })).toBe("db1 hanging");
  expect(FAULTS.cut.describe({ from: ["db1"], to: ["db2"], ports: [5432] })).toBe(
    "db1 cut off from db2, port 5432",
  );
  expect(FAULTS.cut.describe({ from: ["lb1"], to: ["lb2"], protocol: 112 })).toBe(
    "lb1 cut off from lb2, VRRP",
  );
  expect(FAULTS.slow.describe({ host: "db1" })).toBe("disk of db1 at 64 kB/s");
});
