import { afterEach, expect, test } from "vitest";
import { testServer, TOKEN, type TestServer } from "./test-server";

// What a caller with the token may look at on the hosts, and no more than that.

let served: TestServer;
let scripts: string[];

async function ask(url: string, says: (script: string) => string = () => "") {
  scripts = [];
  served = await testServer([], (host, script) => {
    scripts.push(`${host}: ${script}`);
    return says(script);
  });
  return served.app.inject({ url, headers: { authorization: `Bearer ${TOKEN}` } });
}

afterEach(() => served.close());

const line = (text: string, unit = "patroni") =>
  JSON.stringify({
    ...{ __REALTIME_TIMESTAMP: "1790000000000000", SYSLOG_IDENTIFIER: unit, MESSAGE: text },
  });

test("a host's log is what its daemons have said, the latest lines of it", async () => {
  const answer = await ask("/api/v1/hosts/db1/logs?lines=20", () =>
    [line("<b>promoted</b>"), line("x".repeat(50_000)), "-- cursor: s=1"].join("\n"),
  );
  const said = answer.json<{ daemons: string[]; lines: { text: string }[] }>();
  expect(said.daemons).toEqual(["patroni", "etcd"]);
  expect(said.lines[0]).toMatchObject({
    ...{ at: "2026-09-21T14:13:20.000Z", unit: "patroni", text: "<b>promoted</b>" },
  });
  expect(said.lines[1]?.text).toHaveLength(2001);
  expect(scripts).toHaveLength(1);
  expect(scripts[0]).toMatch(/^db1: journalctl .* -n 20 -u patroni\.service -u etcd\.service$/);
  expect(served.audited).toEqual([]);
});

test("no more lines come than were asked for, whatever the host says", async () => {
  const answer = await ask("/api/v1/hosts/db1/logs?daemon=etcd", () =>
    Array.from({ length: 900 }, (_, i) => line(`line ${i}`)).join("\n"),
  );
  const { lines } = answer.json<{ lines: { text: string }[] }>();
  expect(lines).toHaveLength(100);
  expect(lines.at(-1)?.text).toBe("line 899");
  expect(scripts[0]).toContain("-u etcd.service");
  expect(scripts[0]).not.toContain("patroni");
});

test.each([
  "/api/v1/hosts/db9/logs",
  "/api/v1/hosts/db1;reboot/logs",
  "/api/v1/hosts/__proto__/logs",
  "/api/v1/hosts/db1/logs?lines=0",
  "/api/v1/hosts/db1/logs?lines=501",
  "/api/v1/hosts/db1/logs?lines=10;reboot",
  "/api/v1/hosts/db1/logs?daemon=ssh",
  "/api/v1/hosts/db1/logs?daemon=haproxy",
  "/api/v1/hosts/db1/logs?unit=ssh",
  "/api/v1/members/lb1/sessions",
  "/api/v1/members/db9/restart",
  "/api/v1/members/db9/reinit",
  "/api/v1/members/db1/restart?force=true",
])("%s is a mistake that is told, and no host is asked", async (url) => {
  const answer = await ask(url);
  expect(answer.statusCode).toBe(400);
  expect(answer.json<{ error: string }>().error).not.toBe("");
  expect(scripts).toEqual([]);
});

test("who is connected is told without what anybody asks for", async () => {
  const found = { sessions: [], total: 0, maximum: 100 };
  const answer = await ask("/api/v1/members/db2/sessions", () => JSON.stringify(found));
  expect(answer.json()).toEqual(found);
  expect(scripts[0]).toMatch(/^db2: /);
  expect(scripts[0]).not.toMatch(/\bquery\b/);
});

test.each(["restart", "reinit"])("what a %s would do can be asked first", async (what) => {
  await served?.close();
  served = await testServer();
  const answer = await served.app.inject({
    url: `/api/v1/members/db2/${what}`,
    headers: { authorization: `Bearer ${TOKEN}` },
  });
  expect(answer.statusCode).toBe(200);
  expect(answer.json()).toMatchObject({
    refusals: expect.any(Array),
    objections: expect.any(Array),
    effects: expect.any(Array),
  });
  expect(served.audited).toEqual([]);
});

test("what has changed the cluster is told with what could not be found out", async () => {
  const answer = await ask("/api/v1/history");
  expect(answer.json()).toEqual({ events: [], missing: ["db1: Patroni does not answer."] });
});
