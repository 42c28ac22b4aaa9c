import { beforeEach, expect, test } from "vitest";
import type { FoundFile } from "../../src/facts/files";
import type { UnitState } from "../../src/facts/systemd";
import type { Probe } from "../../src/host/host";
import type { Context } from "../../src/provider/context";
import { service } from "../../src/provider/service";

const PATH = "/etc/haproxy/haproxy.cfg";
const FILE = { content: "a\n", mode: "0640", owner: "root", group: "haproxy" };

const inputs = {
  cluster: "demo",
  host: "lb1",
  daemon: "haproxy",
  directories: {},
  files: { [PATH]: FILE },
  unit: { active: "active", enabled: "enabled", configuration: "loaded" },
};

/** A host in memory, on which the daemon was started by somebody else at 2000, after its file was written at 1000. */
let file: FoundFile;
let unit: UnitState;
let script: string;

beforeEach(() => {
  file = { ...FILE, modified: 1000, changed: 1000 };
  script = "";
  unit = {
    active: "active",
    sub: "running",
    enabled: "enabled",
    invocation: "0b6b",
    since: 2000,
    loaded: "",
  };
});

const context = {
  progress() {},
  oneByOne: (_key: string, work: () => Promise<unknown>) => work(),
  host: () => ({
    async observe({ script: question }: Probe<unknown>): Promise<unknown> {
      if (question.includes("systemctl show")) return unit;
      return question.includes(PATH) ? { [PATH]: file } : {};
    },
    async change(_action: string, text: string): Promise<string> {
      script = text;
      return "";
    },
  }),
} as unknown as Context;

async function configuration(): Promise<string | undefined> {
  return (await service.read(context, inputs, inputs))?.unit.configuration;
}

test("a unit that was started after its files were written has loaded them", async () => {
  expect(await configuration()).toBe("loaded");
});

test("a file that was written after the start is not loaded yet", async () => {
  file = { ...file, modified: 3000, changed: 3000 };
  expect(await configuration()).toBe("outdated");
});

test("nor is an old file that was put back after the start", async () => {
  file = { ...file, changed: 3000 };
  expect(await configuration()).toBe("outdated");
});

test("other rights are no other configuration: the file is written, and nothing reloaded", async () => {
  file = { ...file, mode: "0600", changed: 3000 };
  expect(await configuration()).toBe("loaded");
  await service.apply(context, "urn", inputs, inputs);
  expect(script).toContain(PATH);
  expect(script).not.toContain("systemctl reload haproxy");
});

test("another text is written, and reloaded", async () => {
  file = { ...file, content: "b\n" };
  await service.apply(context, "urn", inputs, inputs);
  expect(script).toContain("systemctl reload haproxy.service");
});

test("a unit that has loaded the file is left alone", async () => {
  await service.apply(context, "urn", inputs, inputs);
  expect(script).toBe("");
});
