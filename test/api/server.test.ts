import { mkdtempSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FastifyInstance } from "fastify";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { auditTo, type AuditEntry } from "../../src/api/audit";
import { brings, readToken } from "../../src/api/token";
import { Refusal } from "../../src/cluster/cluster";
import { testServer, TOKEN, type TestServer } from "./test-server";

let served: TestServer;
let app: FastifyInstance;
let audited: AuditEntry[];

beforeEach(async () => {
  served = await testServer();
  ({ app, audited } = served);
});

afterEach(() => served.close());

const call = (method: "GET" | "POST" | "PUT" | "DELETE", url: string, payload?: object) =>
  app.inject({ method, url, payload, headers: { authorization: `Bearer ${TOKEN}` } });

test("the page is there for everyone, and brings all it needs itself", async () => {
  const page = await app.inject({ method: "GET", url: "/" });
  expect(page.statusCode).toBe(200);
  expect(page.headers["content-security-policy"]).toContain("default-src 'none'");
  for (const [, path] of page.body.matchAll(/(?:src|href)="([^"]+)"/g)) {
    if (path?.startsWith("data:")) continue;
    expect((await app.inject({ method: "GET", url: path })).statusCode, path).toBe(200);
  }
  expect(page.body).not.toMatch(/https?:/);
});

test("the status says that no host answers", async () => {
  expect((await call("GET", "/api/v1/status")).json()).toMatchObject({ health: "unknown" });
});

test("a switchover that a check speaks against is refused with all reasons, and recorded", async () => {
  const answer = await call("POST", "/api/v1/switchover", { to: "db2" });
  expect(answer.statusCode).toBe(409);
  expect(answer.json()).toMatchObject({ reasons: [expect.stringMatching(/^No member leads/)] });
  expect(audited).toMatchObject([
    { method: "POST", path: "/api/v1/switchover", body: { to: "db2" }, status: 409 },
  ]);
  expect(JSON.stringify(audited)).not.toContain(TOKEN);
});

test("what would be done can be asked first", async () => {
  const answer = await call("GET", "/api/v1/switchover?to=db2");
  expect(answer.json()).toMatchObject({ refusals: [expect.stringMatching(/^No member leads/)] });
  expect(audited).toEqual([]);
});

test.each([
  ["POST", "/api/v1/switchover", { too: "db2" }],
  ["POST", "/api/v1/switchover", { to: ["db2"] }],
  ["POST", "/api/v1/members/db9/restart", {}],
  ["POST", "/api/v1/members/db3/reinit", { confirm: "db2" }],
  ["PUT", "/api/v1/pause", {}],
] as const)("%s %s with %o is a mistake that is told", async (method, url, payload) => {
  const answer = await call(method, url, payload);
  expect(answer.statusCode).toBe(400);
  expect(answer.json<{ error: string }>().error).not.toBe("");
});

test.each([
  ["no body", {}],
  ["no body, but a type of one", { "content-type": "application/json" }],
  ["an empty form", { "content-type": "application/x-www-form-urlencoded", "content-length": "0" }],
])(
  "a call with %s wishes for nothing in particular, as curl -X POST makes it",
  async (_what, more) => {
    const headers = { authorization: `Bearer ${TOKEN}`, ...more };
    for (const url of ["/api/v1/switchover", "/api/v1/failover", "/api/v1/members/db1/restart"]) {
      const answer = await app.inject({ method: "POST", url, headers });
      expect([url, answer.statusCode], answer.body).not.toEqual([url, 400]);
      expect([url, answer.statusCode], answer.body).not.toEqual([url, 415]);
    }
    const answer = await app.inject({ method: "PUT", url: "/api/v1/pause", headers });
    expect(answer.json<{ error: string }>().error).toContain("paused");
  },
);

test.each([
  ["GET", "/api/v1/history?since=yesterday", "since"],
  ["GET", "/api/v1/status?cluster=other", "cluster"],
  ["GET", "/api/v1/members/db1/sessions?lines=3", "lines"],
  ["GET", "/api/v1/events?since=1", "since"],
  ["POST", "/api/v1/switchover?to=db2", "to"],
  ["POST", "/api/v1/members/db1/reload?force=true", "force"],
  ["DELETE", "/api/v1/switchover?force=true", "force"],
] as const)("%s %s is refused by the name of what it does not know", async (method, url, name) => {
  const answer = await call(method, url);
  expect(answer.statusCode).toBe(400);
  expect(answer.json<{ error: string }>().error).toBe(
    `query: there is no field "${name}" for this call. Mend its name or leave it out`,
  );
});

test("a body's field that is not known is told by its name", async () => {
  const answer = await call("POST", "/api/v1/members/db1/reload", { force: true });
  expect(answer.statusCode).toBe(400);
  expect(answer.json<{ error: string }>().error).toContain('body: there is no field "force"');
});

test.each([
  ["DELETE", "/api/v1/status", "GET, HEAD"],
  ["PUT", "/api/v1/switchover", "DELETE, GET, HEAD, POST"],
  ["GET", "/api/v1/pause?x=1", "PUT"],
  ["PUT", "/api/v1/members/db1/restart", "GET, HEAD, POST"],
  ["POST", "/", "GET, HEAD"],
] as const)("%s %s is told which methods there are", async (method, url, allowed) => {
  const answer = await call(method, url);
  expect(answer.statusCode).toBe(405);
  expect(answer.headers.allow).toBe(allowed);
  expect(answer.json<{ error: string }>().error).toContain(allowed);
});

test("what is no path is not there with any method", async () => {
  expect((await call("DELETE", "/api/v1/nothing")).statusCode).toBe(404);
});

test("what speaks against a call names its fields, not the options of a command line", async () => {
  const refused = new Refusal(
    "The failover",
    ["db2 lacks commits", "later: `pgherd failover --to db3`"],
    "--accept-data-loss goes on all the same; --force would not.",
  );
  const request = vi.spyOn(served.live, "act").mockRejectedValue(refused);
  const answer = await call("POST", "/api/v1/failover", {});
  request.mockRestore();
  const { error, reasons } = answer.json<{ error: string; reasons: string[] }>();
  expect(error).toContain("acceptDataLoss goes on all the same; --force would not.");
  expect(reasons).toEqual(["db2 lacks commits", "later: `pgherd failover --to db3`"]);
  const usage = await call("GET", "/api/v1/switchover?to=db9");
  expect(usage.json<{ error: string }>().error).toMatch(/^to: expected one of db1, db2, db3/);
});

test("a call that is refused is an answer, and no event", async () => {
  const heard: string[] = [];
  const end = served.live.subscribe(({ type, data }) => {
    if (type === "event") heard.push((data as { text: string }).text);
  });
  expect((await call("POST", "/api/v1/switchover", { to: "db2" })).statusCode).toBe(409);
  expect((await call("POST", "/api/v1/switchover", { to: "db9" })).statusCode).toBe(400);
  await served.live.act("pause", async () => undefined);
  end();
  expect(heard.filter((text) => /switchover|pause/.test(text))).toEqual(["Asked for: pause."]);
});

test("only one thing is done to the cluster at a time", async () => {
  let release = () => undefined as void;
  const first = served.live.act(
    "restart of db3",
    () => new Promise<void>((resolve) => (release = resolve)),
  );
  const answer = await call("PUT", "/api/v1/pause", { paused: true });
  expect(answer.statusCode).toBe(409);
  expect(answer.json()).toMatchObject({
    error: expect.stringContaining("restart of db3 is under way"),
  });
  release();
  await first;
});

test("a lab's hosts have switches, and only they", async () => {
  expect((await call("PUT", "/api/v1/lab/hosts/db1/power", { on: false })).json()).toEqual({
    db1: "up",
  });
  expect((await call("PUT", "/api/v1/lab/hosts/db9/power", { on: false })).statusCode).toBe(404);
  expect(served.turned).toEqual([["db1", false]]);
});

test("a loop that has run wild is stopped", async () => {
  const answers = [];
  for (let i = 0; i < 31; i++) {
    answers.push(await call("PUT", "/api/v1/lab/hosts/db1/power", { on: true }));
  }
  expect(answers.filter(({ statusCode }) => statusCode === 200)).toHaveLength(30);
  expect(answers.at(-1)?.statusCode).toBe(429);
  expect(answers.at(-1)?.json()).toMatchObject({
    error: expect.stringContaining("30 changing calls"),
  });
  expect((await call("GET", "/api/v1/status")).statusCode).toBe(200);
});

test("the OpenAPI document describes every call", async () => {
  const document = (await call("GET", "/api/openapi.json")).json<{
    paths: { [path: string]: { [method: string]: { summary?: string } } };
  }>();
  const calls = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { summary }]) => [`${method} ${path}`, summary]),
  );
  expect(calls.map(([name]) => name)).toEqual(
    expect.arrayContaining([
      "get /api/v1/status",
      "post /api/v1/switchover",
      "post /api/v1/members/{member}/restart",
      "put /api/v1/lab/hosts/{host}/power",
    ]),
  );
  expect(calls.filter(([, summary]) => !summary)).toEqual([]);
});

test("the audit log is a file that only its owner reads, a line for each call", () => {
  const file = join(mkdtempSync(join(tmpdir(), "pgherd-")), "audit/lab.log");
  const audit = auditTo(file);
  const entry = {
    at: "2026-11-21T22:00:00.000Z",
    address: "127.0.0.1",
    method: "POST",
    path: "/",
    body: {},
    status: 200,
    ms: 5,
  };
  audit(entry);
  audit(entry);
  expect(readFileSync(file, "utf8")).toBe(`${JSON.stringify(entry)}\n`.repeat(2));
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

test("a token is read from its file, unless it could be guessed", () => {
  const file = join(mkdtempSync(join(tmpdir(), "pgherd-")), "token");
  writeFileSync(file, `${TOKEN}\n`, { mode: 0o600 });
  expect(readToken(file)).toBe(TOKEN);
  expect(brings(TOKEN, `bearer ${TOKEN}`)).toBe(true);
  expect(brings(TOKEN, "Bearer")).toBe(false);
  writeFileSync(file, "secret\n");
  expect(() => readToken(file)).toThrow(/expected a token of 16 characters or more/);
  expect(() => readToken(`${file}-not-there`)).toThrow(/ENOENT/);
});
