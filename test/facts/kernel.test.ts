import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { kernelFile, kernelProbe } from "../../src/facts/kernel";

const SETTINGS = ["net.ipv4.ip_local_port_range", "transparent_hugepage", "vm.swappiness"];

test("a setting's name is its path with dots", () => {
  expect(kernelFile("net.ipv4.tcp_tw_reuse")).toBe("/proc/sys/net/ipv4/tcp_tw_reuse");
  expect(kernelFile("transparent_hugepage")).toBe("/sys/kernel/mm/transparent_hugepage/enabled");
});

test("settings are told with blanks folded, and huge pages by the chosen word", () => {
  const output = `net.ipv4.ip_local_port_range rw 32768 60999\x20
transparent_hugepage rw always [madvise] never\x20
vm.swappiness rw 60\x20
`;
  expect(kernelProbe(SETTINGS).parse(output)).toEqual({
    values: {
      "net.ipv4.ip_local_port_range": "32768 60999",
      transparent_hugepage: "madvise",
      "vm.swappiness": "60",
    },
    leftToMachine: [],
  });
});

test("a setting that the kernel does not know is left out", () => {
  expect(kernelProbe(["vm.swapiness"]).parse("").values).toEqual({});
});

test("a kernel without huge pages or NUMA is as if they were off", () => {
  const probe = kernelProbe(["transparent_hugepage", "vm.zone_reclaim_mode"]);
  expect(probe.parse("").values).toEqual({
    transparent_hugepage: "never",
    "vm.zone_reclaim_mode": "0",
  });
});

test("a container leaves to its machine what is not of its own network", () => {
  const output = `container
net.ipv4.ip_local_port_range rw 32768 60999
transparent_hugepage ro always [madvise] never
vm.swappiness rw 60
`;
  expect(kernelProbe(SETTINGS).parse(output).leftToMachine).toEqual([
    "transparent_hugepage",
    "vm.swappiness",
  ]);
});

test("a container leaves to its machine what it cannot write or does not see", () => {
  const settings = ["net.ipv4.tcp_tw_reuse", "net.core.somaxconn", "net.core.rmem_max"];
  const output = "container\nnet.ipv4.tcp_tw_reuse ro 2\nnet.core.somaxconn rw 4096\n";
  expect(kernelProbe(settings).parse(output).leftToMachine).toEqual([
    "net.ipv4.tcp_tw_reuse",
    "net.core.rmem_max",
  ]);
});

test("outside a container a setting that cannot be written is not left to anybody", () => {
  const output = "vm.swappiness ro 60\n";
  expect(kernelProbe(["vm.swappiness"]).parse(output)).toEqual({
    values: { "vm.swappiness": "60" },
    leftToMachine: [],
  });
});

test("the questions are answered by a shell as the hosts have it", () => {
  const probe = kernelProbe(["net.ipv4.ip_local_port_range", "kernel.ostype", "vm.it's absent"]);
  const output = execFileSync("/bin/sh", { input: probe.script, encoding: "utf8" });
  expect(probe.parse(output).values).toEqual({
    "net.ipv4.ip_local_port_range": readFileSync("/proc/sys/net/ipv4/ip_local_port_range", "utf8")
      .trim()
      .replace(/\s+/g, " "),
    "kernel.ostype": "Linux",
  });
});

test("no settings are no questions", () => {
  const probe = kernelProbe([]);
  const output = execFileSync("/bin/sh", { input: probe.script, encoding: "utf8" });
  expect(probe.parse(output)).toEqual({ values: {}, leftToMachine: [] });
});
