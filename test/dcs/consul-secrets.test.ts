import { execFile } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { MANAGEMENT_FILE, tokenFiles } from "../../src/dcs/consul/local";
import { dcsAt, type Dcs } from "../../src/dcs/dcs";
import { strict } from "../../src/host/shell";
import { AGENT_SECRETS_FILE } from "../../src/roles/consul";

// The scripts are run by a real shell, and ask by a real curl.

const OLD = "6f1ed002-ab5d-4b2e-a0c1-1f0e2d3c4b5a";
const NEW = "7f1ed002-ab5d-4b2e-a0c1-1f0e2d3c4b5a";
const OTHER = "8f1ed002-ab5d-4b2e-a0c1-1f0e2d3c4b5a";
const BODY = tokenFiles("pgherd-demo-patroni").body;

let server: Server;
let dcs: Dcs;
let known: string[];
let done: string[];
let policies: string[];
/** Calls about the gossip's key that fail: somebody has not answered in time. */
let lost: number;
let header: string;

beforeEach(async () => {
  known = [OLD];
  done = [];
  policies = ["pgherd-demo-patroni"];
  lost = 0;
  header = join(mkdtempSync(join(tmpdir(), "pgherd-")), "management");
  writeFileSync(header, `X-Consul-Token: ${OLD}\n`);
  server = createServer((request, response) => {
    let text = "";
    request.on("data", (part: Buffer) => (text += part.toString()));
    request.on("end", () => {
      const token = String(request.headers["x-consul-token"]);
      const { method = "", url = "" } = request;
      if (!known.includes(token)) return response.writeHead(403).end("ACL not found");
      if (method !== "GET") done.push(`${method} ${url} ${text.trim()}`);
      if (url === "/v1/operator/keyring" && lost-- > 0)
        return response.writeHead(500).end("1/4 nodes reported failure");
      if (url === "/v1/acl/policy") policies.push((JSON.parse(text) as { Name: string }).Name);
      if (url === "/v1/acl/token" && text.includes("demo") && policies.length === 0)
        return response.writeHead(500).end('No such ACL policy with name "pgherd-demo-patroni"');
      if (url === "/v1/acl/token" && method === "PUT")
        known.push((JSON.parse(text) as { SecretID: string }).SecretID);
      return response.end("{}");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const port = (server.address() as AddressInfo).port;
  dcs = dcsAt({ kind: "consul", endpoints: [`http://10.89.0.11:${port}`] });
});

afterEach(() => server.close());

function run(script: string): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const child = execFile("/bin/sh", ["-s"], (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
    );
    // Where a host has it, root alone may read it.
    child.stdin?.end(strict(script.replaceAll(MANAGEMENT_FILE, header)));
  });
}

const take = (files: { readonly [path: string]: string }) => run(dcs.secrets?.take(files) ?? "");
const body = JSON.stringify({ SecretID: NEW, Description: "pgherd-demo-patroni" });

test("a new token is made beside the old ones, and one that is known is left alone", async () => {
  expect(await take({ [BODY]: body })).toMatchObject({ code: 0, stdout: "taken\n" });
  expect(done).toEqual([`PUT /v1/acl/token ${body}`]);
  expect(await take({ [BODY]: body })).toMatchObject({ code: 0, stdout: "taken\n" });
  expect(done).toHaveLength(1);
});

test("a token of a name that is new begins without any rights", async () => {
  policies = [];
  expect(await take({ [BODY]: body })).toMatchObject({ code: 0, stdout: "taken\n" });
  expect(done.slice(1)).toEqual([
    'PUT /v1/acl/policy {"Name":"pgherd-demo-patroni","Rules":""}',
    `PUT /v1/acl/token ${body}`,
  ]);
});

test("a new management token has all rights, and the old one is used to make it", async () => {
  await take({ [MANAGEMENT_FILE]: `X-Consul-Token: ${NEW}\n` });
  const made = JSON.parse(done[0]?.replace("PUT /v1/acl/token ", "") ?? "") as object;
  expect(made).toMatchObject({
    SecretID: NEW,
    Policies: [{ ID: "00000000-0000-0000-0000-000000000001" }],
  });
});

test("all take the gossip's key before any uses it, and are asked again where one has not answered", async () => {
  lost = 1;
  const settings = JSON.stringify({ encrypt: "a2V5" });
  expect(await take({ [AGENT_SECRETS_FILE]: settings })).toMatchObject({ code: 0 });
  expect(done).toEqual([
    'POST /v1/operator/keyring {"Key":"a2V5"}',
    'POST /v1/operator/keyring {"Key":"a2V5"}',
    'PUT /v1/operator/keyring {"Key":"a2V5"}',
  ]);
});

test("nothing is done where the host's own management token is not known", async () => {
  known = [];
  expect(await take({ [BODY]: body })).toMatchObject({ code: 0, stdout: "unknown\n" });
  expect(done).toEqual([]);
});

test("a token that is not taken ends it, and no secret is told", async () => {
  server.removeAllListeners("request");
  server.on("request", ({ url, headers }, response) => {
    if (url === "/v1/acl/token/self" && headers["x-consul-token"] === OLD) response.end("{}");
    else response.writeHead(500).end("No cluster leader");
  });
  const said = await take({ [BODY]: body });
  expect([said.code, said.stderr]).toEqual([
    1,
    expect.stringContaining("expected Consul to take a new token, got: No cluster leader"),
  ]);
  expect(JSON.stringify(said)).not.toContain(NEW);
});

const NAMES = ["pgherd-demo-patroni", "management"];
const page = (of: string, content: unknown, code = 200) =>
  `${of} ${JSON.stringify(content)} ${code} `;
const listed = page("tokens", [
  { AccessorID: OLD, Description: "pgherd-demo-patroni" },
  { AccessorID: NEW, Description: "pgherd-demo-patroni" },
  { AccessorID: OTHER, Description: "Master Token" },
  { AccessorID: "0c1ed002-ab5d-4b2e-a0c1-1f0e2d3c4b5a", Description: "the auditors'" },
]);

test("tokens of before are told from the present ones, and from those of others", () => {
  const output = [
    listed,
    page("token:pgherd-demo-patroni", { AccessorID: NEW }),
    page("token:management", { AccessorID: "1c1ed002-ab5d-4b2e-a0c1-1f0e2d3c4b5a" }),
  ].join("\n");
  expect(dcs.secrets?.formerProbe(NAMES).parse(output)).toEqual([
    { name: "pgherd-demo-patroni", id: OLD },
    { name: "management", id: OTHER },
  ]);
});

test("as long as a present token is not known, none is one of before", () => {
  const output = [
    listed,
    page("token:pgherd-demo-patroni", "ACL not found", 403),
    page("token:management", { AccessorID: OTHER }),
  ].join("\n");
  expect(dcs.secrets?.formerProbe(NAMES).parse(output)).toBeUndefined();
});
