import { expect, test } from "vitest";
import { parseSettings } from "../../src/config/parse";
import { kernelFiles, planKernel } from "../../src/plan/system";

/** db1 holds data, lb1 leads to it, both1 does both, and dcs1 only votes. */
function settings(system: object = {}) {
  return parseSettings({
    hosts: {
      db1: { address: "10.0.0.1" },
      lb1: { address: "10.0.0.2" },
      both1: { address: "10.0.0.3" },
      dcs1: { address: "10.0.0.4" },
    },
    cluster: {
      name: "shop",
      members: ["db1", "both1"],
      dcs: { kind: "etcd", members: ["db1", "both1", "dcs1"] },
      loadBalancers: { hosts: ["lb1", "both1"] },
      firewall: false,
      system,
    },
  });
}

const kernel = (host: string, system?: object) => planKernel(settings(system), host);
const files = (host: string, system?: object) =>
  kernelFiles(settings(system), host, kernel(host, system));

test("a member keeps its memory for the database", () => {
  expect(kernel("db1")).toEqual({
    "net.ipv4.tcp_keepalive_intvl": "20",
    "net.ipv4.tcp_keepalive_probes": "3",
    "net.ipv4.tcp_keepalive_time": "60",
    transparent_hugepage: "never",
    "vm.dirty_background_bytes": "67108864",
    "vm.dirty_bytes": "536870912",
    "vm.swappiness": "1",
    "vm.zone_reclaim_mode": "0",
  });
});

test("a load balancer has ports for many connections, without those that HAProxy listens on", () => {
  expect(kernel("lb1")).toEqual({
    "net.core.somaxconn": "65535",
    "net.ipv4.ip_local_port_range": "1024 65535",
    "net.ipv4.ip_local_reserved_ports": "5000-5003,7000",
    "net.ipv4.tcp_keepalive_intvl": "20",
    "net.ipv4.tcp_keepalive_probes": "3",
    "net.ipv4.tcp_keepalive_time": "60",
    "net.ipv4.tcp_tw_reuse": "1",
  });
});

test("a host that is both gets both, and keeps the ports of all its daemons free", () => {
  expect(kernel("both1")).toEqual({
    ...kernel("db1"),
    ...kernel("lb1"),
    "net.ipv4.ip_local_reserved_ports": "2379-2380,5000-5003,5432,7000,8008",
  });
});

test("a host that only votes gets the user's settings only", () => {
  expect(kernel("dcs1")).toEqual({});
  expect(kernel("dcs1", { sysctl: { "vm.swappiness": 5 } })).toEqual({ "vm.swappiness": "5" });
});

test("the user's settings win, and are written as the kernel prints them", () => {
  const sysctl = { "vm.swappiness": 5, "net.ipv4.tcp_rmem": " 4096  131072 6291456" };
  expect(kernel("db1", { sysctl })).toEqual({
    ...kernel("db1"),
    "vm.swappiness": "5",
    "net.ipv4.tcp_rmem": "4096 131072 6291456",
  });
});

test("settings are sorted, so that a preview shows a changed one and nothing else", () => {
  const names = Object.keys(kernel("both1", { sysctl: { "fs.aio-max-nr": 1048576 } }));
  expect(names).toEqual([...names].sort());
});

test("without sysctl only huge pages are set, and they can be kept as they are", () => {
  expect(kernel("both1", { sysctl: false })).toEqual({ transparent_hugepage: "never" });
  expect(kernel("both1", { sysctl: false, transparentHugePages: "keep" })).toEqual({});
  expect(kernel("db1", { transparentHugePages: "madvise" })).toMatchObject({
    transparent_hugepage: "madvise",
  });
});

test("the settings come back when the host starts", () => {
  const found = files("db1");
  expect(Object.keys(found)).toEqual([
    "/etc/sysctl.d/90-pgherd.conf",
    "/etc/tmpfiles.d/pgherd-thp.conf",
  ]);
  expect(found["/etc/sysctl.d/90-pgherd.conf"]).toEqual({
    mode: "0644",
    owner: "root",
    group: "root",
    content: `# Written by pgherd.
net.ipv4.tcp_keepalive_intvl = 20
net.ipv4.tcp_keepalive_probes = 3
net.ipv4.tcp_keepalive_time = 60
vm.dirty_background_bytes = 67108864
vm.dirty_bytes = 536870912
vm.swappiness = 1
vm.zone_reclaim_mode = 0
`,
  });
  expect(found["/etc/tmpfiles.d/pgherd-thp.conf"]?.content).toBe(
    "# Written by pgherd.\nw- /sys/kernel/mm/transparent_hugepage/enabled - - - - never\n",
  );
  expect(Object.keys(files("lb1"))).toEqual(["/etc/sysctl.d/90-pgherd.conf"]);
});

test("settings that are taken back are gone from the files", () => {
  const contents = Object.values(files("db1", { sysctl: false, transparentHugePages: "keep" }));
  expect(contents.map(({ content }) => content)).toEqual([
    "# Written by pgherd.\n",
    "# Written by pgherd.\n",
  ]);
});
