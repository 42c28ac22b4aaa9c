import type { FastifyInstance } from "fastify";
import { connect, type AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { testServer, TOKEN, type TestServer } from "./test-server";

// Attempts to use the API by those who have no token, and by pages of other servers in the browser of somebody who has one.

let served: TestServer;
let app: FastifyInstance;

beforeEach(async () => {
  served = await testServer(["pgherd.example.org"]);
  ({ app } = served);
});

afterEach(() => served.close());

/** What it answers to bytes that no client of HTTP would send for us: the status, and all that was said. */
async function raw(request: string): Promise<{ status: number; said: string }> {
  if (!app.server.listening) await app.listen({ host: "127.0.0.1", port: 0 });
  const { port } = app.server.address() as AddressInfo;
  const socket = connect(port, "127.0.0.1");
  socket.write(request.replaceAll("\n", "\r\n"));
  const said = await text(socket);
  return { status: Number(/^HTTP\/1\.1 (\d+)/.exec(said)?.[1]), said };
}

const head = (lines: string) => `${lines}\nHost: localhost\nConnection: close\n`;
const WITH_TOKEN = `Authorization: Bearer ${TOKEN}\n`;

/** Every route there is, as `[method, path]`: Fastify prints them as a tree, four characters a level. */
function routes(): [string, string][] {
  const above: string[] = [];
  return app
    .printRoutes({ commonPrefix: false })
    .split("\n")
    .flatMap((line) => {
      const [, indent = "", part = "", methods = ""] =
        /^([│├└─ ]*)(\S+)(?: \(([A-Z, ]+)\))?$/.exec(line) ?? [];
      const depth = indent.length / 4;
      above.splice(depth - 1, Infinity, part);
      const path = above.join("");
      return methods === ""
        ? []
        : methods.split(", ").map((method): [string, string] => [method, path]);
    });
}

describe("without the token", () => {
  test("no route but those of the page's own files is open", async () => {
    await app.ready();
    const open = [];
    for (const [method, url] of routes()) {
      const { statusCode } = await app.inject({ method: method as "GET", url });
      if (statusCode !== 401) open.push(`${method} ${url} ${statusCode}`);
    }
    expect(open.sort()).toEqual([
      ...["GET / 200", "GET /page.css 200", "GET /page.js 200"],
      ...["HEAD / 200", "HEAD /page.css 200", "HEAD /page.js 200"],
    ]);
    expect(routes()).toContainEqual(["PUT", "/api/v1/lab/hosts/:host/power"]);
    expect(routes().length).toBeGreaterThan(20);
  });

  test("a route that is added later is closed until somebody opens it", async () => {
    app.get("/later", () => "told");
    app.get("/open", { config: { open: true } }, () => "told");
    expect((await app.inject("/later")).statusCode).toBe(401);
    expect((await app.inject("/open")).statusCode).toBe(200);
  });

  test.each([
    "/%61pi/v1/status",
    "/%61%70%69/v1/status",
    "http://localhost/api/v1/status",
    "http://localhost:8432/%61pi/v1/status",
    "//api/v1/status",
    "/api%2fv1/status",
    "/API/v1/status",
    "/x/../api/v1/status",
    "/./api/v1/status",
    "/api/v1/status;",
    "/api/v1/status/",
    "/api/v1/status.",
    "/api/v1/status?",
    "/api/v1/status%00",
    "/api/v1/status#",
    "/api/openapi.json",
    "/nothing",
    "/%",
    "/%ff",
  ])("GET %s is not let in, and is told no more than any other", async (target) => {
    const { status, said } = await raw(`${head(`GET ${target} HTTP/1.1`)}\n`);
    expect(status).toBe(401);
    expect(said).toMatch(/\{"error":"expected the header `Authorization: Bearer TOKEN`[^{]*$/);
  });

  test.each(["HEAD", "OPTIONS", "TRACE", "PATCH", "DELETE", "PROPFIND"])(
    "%s is not let in",
    async (method) => {
      expect((await raw(`${head(`${method} /api/v1/status HTTP/1.1`)}\n`)).status).toBe(401);
    },
  );

  test.each([
    ["another scheme", `Authorization: Basic ${TOKEN}`],
    ["a wrong one", "Authorization: Bearer wrong"],
    [
      "a right one after a wrong one",
      `Authorization: Bearer wrong\nAuthorization: Bearer ${TOKEN}`,
    ],
    ["one in a cookie", `Cookie: token=${TOKEN}; Authorization=Bearer ${TOKEN}`],
    ["another method in a header", "X-HTTP-Method-Override: GET"],
    [
      "an upgrade to websocket",
      "Connection: Upgrade\nUpgrade: websocket\nSec-WebSocket-Version: 13",
    ],
    ["a body in pieces", "Transfer-Encoding: chunked"],
  ])("%s changes nothing", async (_what, lines) => {
    const body = lines.includes("chunked") ? 'c\n{"on":false}\n0\n\n' : "";
    const target = `PUT /%61pi/v1/lab/hosts/db1/power?token=${TOKEN} HTTP/1.1`;
    const { status } = await raw(`${head(target)}${lines}\n\n${body}`);
    expect(status).toBe(401);
    expect(served.turned).toEqual([]);
  });

  test("a second request that hides in the body of the first is not one", async () => {
    const hidden = `PUT /api/v1/lab/hosts/db1/power HTTP/1.1\n${WITH_TOKEN}\n`;
    const length = `Content-Length: ${hidden.length}\nTransfer-Encoding: chunked`;
    const { said } = await raw(`${head("POST / HTTP/1.1")}${length}\n\n0\n\n${hidden}`);
    expect(said.match(/HTTP\/1\.1 /g)).toHaveLength(1);
    expect(served.turned).toEqual([]);
  });
});

describe("a website in the operator's browser", () => {
  test.each([
    ["its own name, which leads here", "Host: evil.example"],
    ["its own name and this server's port", "Host: evil.example:8432"],
    ["a name that ends like one of ours", "Host: evil.localhost"],
    ["no name that could be one", "Host: localhost:8432@evil.example"],
    ["nothing", "Host:"],
  ])("gets nothing by %s, the token included", async (_what, host) => {
    for (const path of ["/", "/api/v1/status"]) {
      const { status, said } = await raw(
        `GET ${path} HTTP/1.1\n${host}\n${WITH_TOKEN}Connection: close\n\n`,
      );
      expect(status).toBe(421);
      expect(said).toContain("expected a name of this server as Host");
    }
  });

  test("is told from a caller by the target's host as well, and by the lack of any", async () => {
    const target = await raw(
      `${head("GET http://evil.example/api/v1/status HTTP/1.1")}${WITH_TOKEN}\n`,
    );
    expect(target.status).toBe(421);
    expect((await raw(`GET /api/v1/status HTTP/1.0\n${WITH_TOKEN}\n`)).status).toBe(421);
  });

  test.each([
    ["POST", "Origin: https://evil.example"],
    ["POST", "Origin: null"],
    ["POST", "Origin: http://localhost:9999"],
    ["POST", "Sec-Fetch-Site: cross-site"],
    ["POST", "Sec-Fetch-Site: same-site"],
    ["GET", "Origin: https://evil.example"],
    ["GET", "Sec-Fetch-Site: cross-site"],
  ])("neither changes nor reads by %s with %s, the token included", async (method, line) => {
    const target = method === "GET" ? "/api/v1/status" : "/api/v1/members/db1/reload";
    const { status } = await raw(`${head(`${method} ${target} HTTP/1.1`)}${WITH_TOKEN}${line}\n\n`);
    expect(status).toBe(403);
    expect(served.audited).toEqual([]);
  });

  test.each([
    ["localhost:8432", "http://localhost:8432"],
    ["127.0.0.1:9000", "http://127.0.0.1:9000"],
    ["[::1]:8432", "http://[::1]:8432"],
    ["PGHERD.example.org", "https://pgherd.example.org"],
    ["192.0.2.7:443", "https://192.0.2.7"],
  ])("is not taken for the page itself under %s", async (host, origin) => {
    const headers = {
      ...{ host, origin, "sec-fetch-site": "same-origin" },
      authorization: `Bearer ${TOKEN}`,
    };
    const answer = await app.inject({ method: "GET", url: "/api/v1/lab/hosts", headers });
    expect(answer.statusCode).toBe(200);
  });

  test("can follow a link to the page, and frame or embed nothing of it", async () => {
    const headers = { "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate" };
    const page = await app.inject({ method: "GET", url: "/", headers });
    expect(page.statusCode).toBe(200);
    expect(page.headers["content-security-policy"]).toContain("frame-ancestors 'none'");
    expect(page.headers["cross-origin-resource-policy"]).toBe("same-origin");
    expect(page.headers["access-control-allow-origin"]).toBeUndefined();
  });
});

describe("whoever goes on trying", () => {
  const knock = (remoteAddress: string) =>
    app.inject({ method: "PUT", url: "/api/v1/lab/hosts/db1/power", remoteAddress });

  test("is written down once a minute, with how often it was", async () => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    const other = await testServer();
    try {
      const url = `/api/v1/${"x".repeat(5000)}`;
      for (let i = 0; i < 50; i++) await other.app.inject({ method: "POST", url });
      await other.app.inject({ method: "GET", url: "/", headers: { host: "evil.example" } });
      expect(other.refused).toMatchObject([{ address: "127.0.0.1", status: 401 }]);
      vi.advanceTimersByTime(60_000);
      expect(other.refused).toMatchObject([{ status: 401 }, { path: "/", status: 421, more: 50 }]);
      vi.advanceTimersByTime(60_000);
      expect(other.refused).toHaveLength(2);
      expect(other.audited).toEqual([]);
    } finally {
      vi.useRealTimers();
      await other.close();
    }
  });

  test("from a thousand addresses fills no log either", async () => {
    for (let i = 0; i < 1000; i++) await knock(`2001:db8::${i.toString(16)}`);
    expect(served.refused).toHaveLength(101);
    expect(served.refused.at(-1)).toMatchObject({ address: "others" });
  });

  test("is no longer answered, while whoever has the token is, from the same address too", async () => {
    const answers = [];
    for (let i = 0; i < 100; i++) answers.push((await knock("192.0.2.7")).statusCode);
    expect(answers.filter((status) => status === 401)).toHaveLength(60);
    expect(answers.at(-1)).toBe(429);
    for (const remoteAddress of ["192.0.2.7", "192.0.2.8"]) {
      const answer = await app.inject({
        ...{ method: "PUT", url: "/api/v1/lab/hosts/db1/power", remoteAddress },
        ...{ payload: { on: true }, headers: { authorization: `Bearer ${TOKEN}` } },
      });
      expect(answer.statusCode).toBe(200);
    }
    expect((await knock("192.0.2.8")).statusCode).toBe(401);
  });

  test("has no body read", async () => {
    const { status, said } = await raw(
      `POST /api/v1/switchover HTTP/1.1\nHost: localhost\nContent-Length: 100000000\n\n{`,
    );
    expect(status).toBe(401);
    expect(said).toMatch(/^connection: close\r$/im);
  });
});

test("a body that is larger than any wish is refused with the token too", async () => {
  const headers = { authorization: `Bearer ${TOKEN}` };
  const payload = { to: "x".repeat(20_000) };
  const answer = await app.inject({ method: "POST", url: "/api/v1/switchover", headers, payload });
  expect(answer.statusCode).toBe(413);
});
