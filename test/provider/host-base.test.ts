import { beforeEach, describe, expect, test, vi } from "vitest";
import type { LockHolder } from "../../src/distributions/package-manager";
import type { Probe } from "../../src/host/host";
import type { Context } from "../../src/provider/context";
import { hostBase } from "../../src/provider/host-base";

const inputs = {
  cluster: "demo",
  host: "lb1",
  packages: ["haproxy", "keepalived"],
  masked: [],
  files: {},
  kernel: {},
};
const VERSIONS = { haproxy: "3.0.11-1", keepalived: "1:2.3.3-1" };
const known = { ...inputs, versions: VERSIONS, leftToMachine: [] };
const RECORD = { content: "demo\n", mode: "0644", owner: "root", group: "root" };

/** A host in memory. */
let installed: { [name: string]: string };
let older: string[];
let candidates: { [name: string]: string };
let scripts: string[];
let warnings: string[];
let said: string[];
/** Who holds a lock of dpkg's at each look, before nobody does. */
let holders: LockHolder[];
/** Files of the host beside the record. */
let files: { [path: string]: typeof RECORD };
/** What a server of its own says that does not start. */
let refused: string[];

beforeEach(() => {
  installed = { ...VERSIONS };
  older = [];
  candidates = VERSIONS;
  scripts = [];
  warnings = [];
  said = [];
  holders = [];
  files = {};
  refused = [];
});

const context = {
  progress: (_urn: string, message: string) => said.push(message),
  warn: (_urn: string, message: string) => warnings.push(message),
  host: () => ({
    async observe({ script }: Probe<unknown>): Promise<unknown> {
      if (script.includes("initdb"))
        return Object.keys(candidates).every((name) => installed[name]) ? refused : [];
      if (script.includes("/proc/locks")) return holders.shift();
      if (script.includes("--compare-versions")) return older;
      if (script.includes("dpkg-query")) return { ...installed };
      if (script.includes("readlink")) return [];
      if (script.includes("/var/lib/pgherd/cluster"))
        return { "/var/lib/pgherd/cluster": RECORD, ...files };
      return { values: {}, leftToMachine: [] };
    },
    async change(_action: string, script: string): Promise<string> {
      scripts.push(script);
      installed = { ...installed, ...candidates };
      older = older.filter((name) => installed[name] !== VERSIONS[name as "haproxy"]);
      return "";
    },
  }),
} as unknown as Context;

test("what is as it was recorded stays untouched", async () => {
  expect(await hostBase.read(context, inputs, known)).toEqual(known);
  expect(await hostBase.apply(context, "urn", inputs, known)).toEqual(known);
  expect(scripts).toEqual([]);
});

test("a package that somebody has upgraded is no drift", async () => {
  installed.haproxy = "3.0.12-1";
  expect(await hostBase.read(context, inputs, known)).toEqual({
    ...known,
    versions: { ...VERSIONS, haproxy: "3.0.12-1" },
  });
});

test("a removed package is missing", async () => {
  delete installed.keepalived;
  expect(await hostBase.read(context, inputs, known)).toMatchObject({ packages: ["haproxy"] });
});

test("a downgraded package is missing, and what it should be again is remembered", async () => {
  installed.haproxy = "2.9.0-1";
  older = ["haproxy"];
  const found = await hostBase.read(context, inputs, known);
  expect(found).toEqual({ ...known, packages: ["keepalived"] });
  expect(await hostBase.apply(context, "urn", inputs, found)).toEqual(known);
  expect(scripts).toHaveLength(1);
  expect(scripts[0]).toMatch(/install -- haproxy$/);
  expect(warnings).toEqual([]);
});

test("where the package sources have nothing newer, the user is told, and the version stays", async () => {
  installed.haproxy = "2.9.0-1";
  candidates = { haproxy: "2.9.0-1" };
  older = ["haproxy"];
  const after = await hostBase.apply(context, "urn", inputs, known);
  expect(after).toEqual({ ...known, versions: { ...VERSIONS, haproxy: "2.9.0-1" } });
  expect(warnings).toEqual([
    "lb1: haproxy was 3.0.11-1 and is 2.9.0-1 now; the package sources have nothing newer.",
  ]);
});

test("somebody who holds a lock of dpkg's is waited for, and named", async () => {
  delete installed.haproxy;
  const lock = "/var/lib/dpkg/lock-frontend";
  holders = [{ lock, pid: 4711, command: "/usr/bin/python3 /usr/bin/unattended-upgrade" }];
  await hostBase.apply(context, "urn", inputs, known);
  expect(said[0]).toBe(
    `waiting for nobody else to install packages on lb1: process 4711 (/usr/bin/python3 /usr/bin/unattended-upgrade) holds ${lock} (0 s)`,
  );
  expect(scripts[0]).toContain("apt-get");
});

test("one who holds it for ever fails the run by name, before anything is installed", async () => {
  vi.useFakeTimers();
  try {
    delete installed.haproxy;
    const lock = "/var/lib/apt/lists/lock";
    holders = Array.from({ length: 400 }, () => ({ lock, pid: 7, command: "apt-get update" }));
    const failed = expect(hostBase.apply(context, "urn", inputs, known)).rejects.toThrow(
      `expected nobody else to install packages on lb1 within 300 seconds, got: process 7 (apt-get update) holds ${lock}.`,
    );
    await vi.runAllTimersAsync();
    await failed;
    expect(scripts).toEqual([]);
  } finally {
    vi.useRealTimers();
  }
});

test("a policy for packages' services that is somebody else's stays, and is told", async () => {
  const path = "/usr/sbin/policy-rc.d";
  const file = { mode: "0755", owner: "root", group: "root" };
  const wanted = { ...inputs, files: { [path]: { ...file, content: "# Written by pgherd.\n" } } };
  files = { [path]: { ...file, content: "#!/bin/sh\nexit 0\n" } };
  const state = await hostBase.apply(context, "urn", wanted, known);
  expect(scripts).toEqual([]);
  expect(warnings[0]).toContain("/usr/sbin/policy-rc.d is none of pgherd's, and stays");
  expect(state.files).toEqual(wanted.files);
  await hostBase.delete(context, "urn", wanted);
  expect(scripts[0]).not.toContain(`rm -f ${path}\n`);
});

describe("a member whose packages have just come", () => {
  const member = {
    ...inputs,
    trial: {
      ...{ version: 17, dataDirectory: "/var/lib/postgresql/17/main", hba: [], extensions: [] },
      settings: { shared_preload_libraries: "nosuch" },
    },
  };

  test("tells at once what its server could not start with, again and again, before anybody waits for it", async () => {
    installed = {};
    refused = ['could not access file "nosuch": No such file or directory'];
    const told =
      "lb1: expected PostgreSQL to start with what pgherd:cluster.postgresql says, it does not: " +
      'could not access file "nosuch": No such file or directory. Mend its parameters or pgHba, then run again.';
    await expect(hostBase.apply(context, "urn", member)).rejects.toThrow(told);
    const left = { ...known, unfinished: true };
    await expect(hostBase.apply(context, "urn", member, left)).rejects.toThrow(told);
    refused = [];
    await hostBase.apply(context, "urn", member, left);
  });

  test("is not tried again where its packages were there at the preview", async () => {
    refused = ["the preview has said so"];
    await hostBase.apply(context, "urn", member, known);
  });
});
