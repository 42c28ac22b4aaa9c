import { mkdtempSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { parseSettings, rawSettings } from "../../src/config/parse";
import { isProject, projectFiles, stackSettings, stackText } from "../../src/init/project";
import { packageRoot } from "../../src/package-root";
import type { Roles } from "../../src/init/roles";

const KEY = `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${"A".repeat(43)}`;
const HOST = { address: "192.0.2.11", hostKey: KEY };
const REACHED = {
  hosts: Object.fromEntries(
    ["db1", "db2", "db3", "lb1", "lb2", "backup1"].map((name, place) => [
      name,
      { ...HOST, address: `192.0.2.${11 + place}` },
    ]),
  ),
  ssh: {},
};
const ROLES: Roles = {
  members: ["db1", "db2", "db3"],
  dcs: ["db1", "db2", "db3"],
  balancers: ["lb1", "lb2"],
  backup: "backup1",
  vip: { address: "192.0.2.100/24", interface: "eth0" },
  clients: "192.0.2.0/24",
};

function read(roles: Roles, cluster = "web-shop") {
  const text = stackText(stackSettings(cluster, REACHED, roles), "x/pgherd.schema.json");
  const { config } = parse(text) as { config: { [key: string]: unknown } };
  return { text, settings: parseSettings(rawSettings(config)) };
}

test("the stack's file is one that pgherd takes, and says what its blocks are for", () => {
  const { text, settings } = read(ROLES);
  expect(settings.cluster.loadBalancers).toMatchObject({ vip: ["192.0.2.100/24"] });
  expect(settings.cluster.postgresql.databases).toMatchObject([{ name: "web_shop" }]);
  expect(text.split("\n")[0]).toBe("# yaml-language-server: $schema=x/pgherd.schema.json");
  expect(text).toContain("  # A backup each night");
  expect(text).toContain(`db1: { address: 192.0.2.11, hostKey: ${KEY} }`);
});

test("without a virtual IP the clients' network is said", () => {
  const { settings } = read({ ...ROLES, vip: undefined });
  expect(settings.cluster.firewall).toMatchObject({ clients: ["192.0.2.0/24"] });
});

test("a server that runs already is migrated one step at a time, with nothing made in it", () => {
  const running = { host: "db2", port: 5433, version: "16" };
  const { cluster } = read({ ...ROLES, running }).settings;
  expect(cluster.migration).toMatchObject({ from: "db2", until: "prepared" });
  expect(cluster.postgresql).toMatchObject({ version: 16, port: 5433, users: [], databases: [] });
});

test("one member confirms to nobody", () => {
  const { text, settings } = read({ ...ROLES, members: ["db1"], dcs: ["db1"] });
  expect(settings.cluster.replication.mode).toBe("asynchronous");
  expect(text).not.toContain("on two hosts");
});

test("a folder becomes a project once, and uses the package that is installed in it", () => {
  const folder = mkdtempSync(join(tmpdir(), "project-"));
  try {
    const names = () => projectFiles(folder, "shop", packageRoot()).map(({ path }) => path);
    expect(names()).toEqual(["Pulumi.yaml", "index.cjs", ".gitignore", "package.json"]);
    mkdirSync(join(folder, "node_modules/pgherd"), { recursive: true });
    for (const file of ["package.json", "node_modules/pgherd/package.json"])
      writeFileSync(join(folder, file), "{}");
    expect(names()).toEqual(["Pulumi.yaml", "index.cjs", ".gitignore"]);
    expect(isProject(folder)).toBe(false);
    for (const { path, text } of projectFiles(folder, "shop", packageRoot()))
      writeFileSync(join(folder, path), text);
    expect(isProject(folder)).toBe(true);
    const { name, main, plugins, runtime } = parse(
      readFileSync(join(folder, "Pulumi.yaml"), "utf8"),
    ) as {
      name: string;
      main: string;
      plugins: { providers: { path: string }[] };
      runtime: { options: { nodeargs: string } };
    };
    expect(runtime.options.nodeargs).toBe("--require ./node_modules/pgherd/bin/later.cjs");
    expect({ name, main }).toEqual({ name: "shop", main: "index.cjs" });
    expect(new Set(plugins.providers.map(({ path }) => path))).toEqual(
      new Set(["node_modules/pgherd/bin/provider"]),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});
