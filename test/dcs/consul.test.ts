import { execFile } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { MANAGEMENT_FILE, TOKEN_FILE, tokenFiles } from "../../src/dcs/consul/local";
import { dcsAt, type Dcs } from "../../src/dcs/dcs";
import { NO_ANSWER } from "../../src/dcs/no-answer";
import { claimDatabase, forgetCluster, forgetDatabase } from "../../src/dcs/patroni";
import { plannedDcs } from "../../src/dcs/planned";
import { strict } from "../../src/host/shell";
import { PlayedConsul } from "./played-consul";

// The scripts are run by a real shell, and ask by a real curl.

const KEY = "demo/config";
/** As Consul is asked for it. */
const WHOLE = "/service/demo/config";
const TOKEN = "6f1ed002-ab5d-4b2e-a0c1-1f0e2d3c4b5a";

let consul: PlayedConsul;
let dcs: Dcs;
let server: string;
let header: string;

beforeEach(async () => {
  header = join(mkdtempSync(join(tmpdir(), "pgherd-")), "token");
  writeFileSync(header, `X-Consul-Token: ${TOKEN}\n`);
  consul = new PlayedConsul();
  server = await consul.start();
  dcs = dcsAt({ kind: "consul", endpoints: [server] });
});

afterEach(() => consul.stop());

function run(script: string): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const child = execFile("/bin/sh", ["-s"], (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
    );
    // Where a host has it, root alone may read it.
    child.stdin?.end(
      strict(script.replaceAll(TOKEN_FILE, header).replaceAll(MANAGEMENT_FILE, header)),
    );
  });
}

async function look(key: string) {
  const { script, parse } = dcs.keyProbe(key);
  const { code, stdout } = await run(script);
  expect(code).toBe(0);
  return parse(stdout);
}

function set(key: string, text: string, index = 7): void {
  consul.keys.set(key.slice(1), { value: Buffer.from(text).toString("base64"), index });
}

function contents(): { [key: string]: string } {
  return Object.fromEntries(
    [...consul.keys].map(([key, { value }]) => [key, Buffer.from(value, "base64").toString()]),
  );
}

test("a key is told with the index of its last change, an absent one is undefined, an empty one is there", async () => {
  expect(await look(KEY)).toBeUndefined();
  expect((await run(dcs.printKey(KEY))).stdout).toBe("");
  set(WHOLE, "");
  expect(await look(KEY)).toEqual({ value: "", revision: "7" });
  const value = `{"ttl": 30, "note": "ü it's $(odd)"}`;
  set(WHOLE, value);
  expect(await look(KEY)).toEqual({ value, revision: "7" });
  expect((await run(dcs.printKey(KEY))).stdout).toBe(value);
});

test("a key is changed only if nobody else has changed it, and others with it", async () => {
  const value = `{"note":"it's $(odd)\n"}`;
  set(WHOLE, "{}");
  const others = { "demo/pgherd-proven-config": "%s" };
  expect(await run(`${dcs.changeKey(KEY, value, "7", others)}\necho done`)).toMatchObject({
    ...{ code: 0, stdout: "done\n" },
  });
  expect(contents()).toEqual({
    "service/demo/config": value,
    "service/demo/pgherd-proven-config": "%s",
  });
  const { code, stderr } = await run(dcs.changeKey(KEY, "mine", "7"));
  expect(code).toBe(1);
  expect(stderr).toContain("somebody else changed /service/demo/config at the same moment");
  expect(contents()["service/demo/config"]).toBe(value);
});

test("a change whose answer was lost is none of somebody else's", async () => {
  consul.manner = "unheard";
  expect((await run(dcs.changeKey(KEY, "{}", "0"))).code).toBe(NO_ANSWER);
  consul.manner = "well";
  expect(await run(dcs.changeKey(KEY, "{}", "0"))).toMatchObject({ code: 0, stderr: "" });
});

test("the cluster's database is claimed once, and forgotten unless another has been", async () => {
  expect((await run(claimDatabase(dcs, "demo", "711"))).code).toBe(0);
  expect((await run(claimDatabase(dcs, "demo", "711"))).code).toBe(0);
  const { code, stderr } = await run(claimDatabase(dcs, "demo", "712"));
  expect([code, stderr]).toEqual([1, expect.stringContaining("the system identifier '711'")]);
  expect((await run(forgetDatabase(dcs, "demo", "3"))).code).toBe(0);
  expect(contents()).toEqual({ "service/demo/initialize": "711" });
  expect((await run(forgetDatabase(dcs, "demo", "11"))).code).toBe(0);
  expect(contents()).toEqual({});
});

test("a cluster is forgotten with or without its configuration, and no other one", async () => {
  const config = `{"archive_command":"test 100%s = '$x' \\\\ \\"%p\\""}`;
  const fill = () => {
    set("/service/demo/leader", "db1");
    set("/service/demo/initialize", "711");
    set("/service/demo2/leader", "db9");
    set(WHOLE, config);
  };
  fill();
  expect(await run(forgetCluster(dcs, "demo", "kept"))).toMatchObject({ code: 0, stderr: "" });
  expect(contents()).toEqual({ "service/demo/config": config, "service/demo2/leader": "db9" });
  fill();
  expect((await run(forgetCluster(dcs, "demo", "forgotten"))).code).toBe(0);
  expect((await run(forgetCluster(dcs, "demo", "kept"))).code).toBe(0);
  expect(contents()).toEqual({ "service/demo2/leader": "db9" });
});

test("that nobody leads, or no agent runs, is no answer; a token that is refused is told", async () => {
  consul.manner = "without a leader";
  const silent = await run(dcs.keyProbe(KEY).script);
  expect([silent.code, silent.stderr]).toEqual([
    NO_ANSWER,
    expect.stringContaining("No cluster leader"),
  ]);
  consul.manner = "refusing";
  const refused = await run(dcs.setKey(KEY, "x"));
  expect([refused.code, refused.stderr]).toEqual([
    1,
    expect.stringContaining("refuses pgherd's token"),
  ]);
  consul.manner = "without the right";
  const denied = await run(dcs.setKey(KEY, "x"));
  expect([denied.code, denied.stderr]).toEqual([
    1,
    expect.stringContaining("refuses pgherd's token"),
  ]);
  consul.stop();
  expect(JSON.stringify([silent, refused, denied])).not.toContain(TOKEN);
});

test("an agent tells whether it serves, is refused, reaches nobody that leads, or is away", async () => {
  const condition = async () => {
    const probe = dcs.agentProbe?.();
    return probe?.parse((await run(probe.script)).stdout);
  };
  expect(await condition()).toBe("serving");
  consul.manner = "refusing";
  expect(await condition()).toBe("refused");
  consul.manner = "without a leader";
  expect(await condition()).toBe("cut off");
  consul.stop();
  expect(await condition()).toBe("away");
});

test("a host's own script tells a key that is there and empty from one that is absent, and both from no answer", async () => {
  const { begin, read, empty, revision, release } = plannedDcs("consul").script({
    endpoints: [server],
  });
  const script = (then: string) => `key=${WHOLE}\n${begin}\n${then}`;
  const judge = script(`found=$(${read}) || { echo silent; exit; }
case "$found" in ${empty}) printf '%s\\n' "$found" | ${revision} ;; *) echo other ;; esac`);
  expect((await run(judge)).stdout).toBe("other\n");
  set(WHOLE, "");
  expect((await run(judge)).stdout).toBe("7\n");
  expect((await run(script(`revision=7\n${release}`))).code).toBe(0);
  consul.manner = "without a leader";
  expect((await run(judge)).stdout).toBe("silent\n");
});

const HEALTH = JSON.stringify({
  Healthy: false,
  Servers: [
    { Name: "db1", Address: "10.89.0.11:8300", Leader: true, Healthy: true, Voter: true },
    { Name: "db2", Address: "10.89.0.12:8300", Leader: false, Healthy: true, Voter: false },
    { Name: "db3", Address: "[fd00:89::13]:8300", Leader: false, Healthy: false, Voter: true },
  ],
});
const SERVERS = ["http://10.89.0.11:8500", "http://10.89.0.12:8500", "http://[fd00:89::13]:8500"];

test("a server that does not vote yet takes part in no majority", () => {
  const servers = dcsAt({ kind: "consul", endpoints: SERVERS });
  expect(servers.healthyProbe().parse(HEALTH)).toEqual([SERVERS[0]]);
  expect(servers.memberProbe(SERVERS[0] ?? "").parse(HEALTH)).toMatchObject({
    ...{ healthy: true, leader: true },
  });
  expect(servers.memberProbe(SERVERS[2] ?? "").parse(HEALTH)).toMatchObject({ healthy: false });
  for (const silent of ["", "No cluster leader", "rpc error: ACL not found"]) {
    expect(servers.healthyProbe().parse(silent)).toEqual([]);
    expect(servers.memberProbe(SERVERS[0] ?? "").parse(silent)).toMatchObject({ healthy: false });
  }
});

const A = "6f1ed002-ab5d-4b2e-a0c1-1f0e2d3c4b5a";
const B = "0c1ed002-ab5d-4b2e-a0c1-1f0e2d3c4b5a";
const rights = dcsAt({ kind: "consul", endpoints: SERVERS }).rights;
const page = (of: string, body: unknown, code = 200) => `${of} ${JSON.stringify(body)} ${code} `;

test("rights are told, and a token with more than its own has not its rights", () => {
  const output = [
    page("policies", [{ ID: A, Name: "mine" }]),
    page("policy", { ID: A, Name: "mine", Rules: 'operator = "read"\n' }),
    page("token:mine", { AccessorID: A, Policies: [{ Name: "mine" }], Roles: null }),
    page("token:wide", { AccessorID: B, Policies: [{ Name: "wide" }, { Name: "all" }] }),
    page("token:role", { AccessorID: B, Policies: [{ Name: "role" }], Roles: [{ Name: "all" }] }),
    page("token:lost", "ACL not found", 403),
  ].join("\n");
  expect(rights?.probe(["mine", "wide", "role", "lost"]).parse(output)).toEqual({
    mine: { rules: 'operator = "read"\n', policy: A, token: A, given: true },
    wide: { rules: undefined, policy: undefined, token: B, given: false },
    role: { rules: undefined, policy: undefined, token: B, given: false },
    lost: { rules: undefined, policy: undefined, token: undefined, given: false },
  });
  // Before the first election nothing is known.
  expect(rights?.probe(["mine"]).parse(page("policies", "No cluster leader", 500))).toBeUndefined();
});

test("what answers in Consul's place has no say in what root runs", () => {
  const bad = [
    page("policies", []),
    page("policy", { ID: "$(id)", Name: "mine", Rules: "" }),
    page("token:mine", "none", 403),
  ].join("\n");
  expect(() => rights?.probe(["mine"]).parse(bad)).toThrow("expected an id of Consul's");
});

test("no secret leaves a host with what is asked of the rights", async () => {
  const script = rights?.probe([]).script ?? "";
  const told = /^told\(\).*$/m.exec(script)?.[0] ?? "";
  const self = JSON.stringify({ AccessorID: A, SecretID: TOKEN, Policies: null });
  const { stdout } = await run(`${told}\nprintf '%s\\n200' '${self}' | told token:mine`);
  expect(stdout).toBe(`token:mine {"AccessorID":"${A}","Policies":null} 200\n`);
  expect(script).toContain(MANAGEMENT_FILE);
  expect(rights?.grant("mine", "", { given: false })).toContain(tokenFiles("mine").body);
});

test("a server that is away is no stranger, though the leader has forgotten its name", () => {
  const output = JSON.stringify({
    Servers: [
      { ID: A, Node: "db1", Address: "10.89.0.11:8300" },
      { ID: B, Node: "(unknown)", Address: "10.89.0.12:8300" },
    ],
  });
  const { members } = dcsAt({ kind: "consul", endpoints: SERVERS }).membershipProbe().parse(output);
  expect(members.map(({ name }) => name)).toEqual(["db1", ""]);
});

test("servers that are away stay servers, and whatever else is set for that stays too", async () => {
  const { forgetting } = dcs;
  const forgets = async () => {
    const { script, parse } = forgetting!.probe();
    return parse((await run(script)).stdout);
  };
  const others = { LastContactThreshold: "200ms", MaxTrailingLogs: 250 };
  consul.autopilot = { ...others, CleanupDeadServers: true, ModifyIndex: 4 };
  expect(await forgets()).toBe(true);
  expect(await run(forgetting!.end())).toMatchObject({ code: 0 });
  expect(consul.autopilot).toEqual({ ...others, CleanupDeadServers: false, ModifyIndex: 5 });
  expect(await forgets()).toBe(false);
  consul.manner = "refusing";
  expect(await run(forgetting!.end())).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("ACL not found") as string,
  });
});
