import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { ConnectError } from "../../src/errors";
import type { Fork } from "../../src/facts/forks";
import { ensureFork } from "../../src/operations/forks";
import { testServer, TOKEN, type TestServer } from "./test-server";

// How a fork is made is for real hosts to show: here it is who may have it made, and what is told of it.
vi.mock("../../src/operations/forks", { spy: true });

const RECORD = `fork=try
cluster=demo
name=try
host=db2
port=5433
memory=536870912
disk=10737418240
ttl=86400
begun=1795226400
ends=1795312800
copied=93
timeline=3
reason=
unit=active
own=35651584
`;

const TRY: Fork = {
  ...{ name: "try", host: "db2", port: 5433, state: "running", reason: "", timeline: 3 },
  ...{ memory: 536870912, disk: 10737418240, ttl: 86400, copied: 93 },
  ...{ begun: 1795226400, ends: 1795312800 },
};

let served: TestServer;
/** What each member says of its forks. */
let records: { [host: string]: string };
/** Members that cannot be reached. */
let away: string[];

beforeAll(async () => {
  served = await testServer([], (host, script) => {
    if (away.includes(host)) throw new ConnectError(host, "cannot be reached.");
    if (script.includes("fork=$name")) return records[host] ?? "";
    // 5433 is taken by somebody.
    return script.includes("/proc/net/tcp") ? "1539\n" : "";
  });
}, 60_000);

beforeEach(() => {
  [records, away] = [{ db2: RECORD }, []];
  served.changed = () => undefined;
  served.audited.length = 0;
  vi.mocked(ensureFork).mockReset();
});

afterAll(() => served.close());

const call = (method: "GET" | "POST" | "DELETE", url: string, payload?: object) =>
  served.app.inject({ method, url, payload, headers: { authorization: `Bearer ${TOKEN}` } });

test("forks are listed, with what each has taken for itself and who could not be asked", async () => {
  away = ["db3"];
  expect((await call("GET", "/api/v1/forks")).json()).toEqual({
    forks: [{ ...TRY, own: 35651584 }],
    missing: ["db3: cannot be reached."],
  });
});

test("a fork is made by the rules of the command line, recorded, and its password told to nobody", async () => {
  let password = "";
  vi.mocked(ensureFork).mockImplementation(async (inputs) => {
    password = inputs.password;
    return { fork: { ...TRY, name: inputs.name, port: inputs.port }, files: {} as never, password };
  });
  const answer = await call("POST", "/api/v1/forks", { name: "nightly", memory: "2GB", ttl: "3d" });
  expect(answer.json()).toEqual({
    ...{ ...TRY, name: "nightly", port: 5434 },
    ...{ uri: "postgresql://10.89.0.12:5434/", seconds: expect.any(Number) },
  });
  const [inputs] = vi.mocked(ensureFork).mock.calls[0] ?? [];
  expect(inputs).toMatchObject({
    ...{ cluster: "demo", name: "nightly", from: "replica", port: 5434 },
    ...{ memory: 2 ** 31, disk: 10 * 2 ** 30, ttl: 3 * 86400 },
  });
  expect(password).not.toBe("");
  expect(answer.body).not.toContain(password);
  expect(JSON.stringify(served.audited)).not.toContain(password);
  expect(served.audited).toMatchObject([{ method: "POST", path: "/api/v1/forks", status: 200 }]);
});

test.each([
  [{ name: "Try" }, "name: expected a lower-case name"],
  [{ name: "one", memory: "much" }, "memory: expected a size"],
  [{ name: "one", from: "db9" }, "from: expected one of replica, db1"],
  [{ name: "one", port: 5440 }, "port: expected a port of its own, got 5440"],
  [{ name: "try" }, "fork try: there is one already, on db2 since 2026-11-21"],
  [{ name: "one", at: "yesterday" }, "at"],
])("%j is a mistake that is told, and nothing is made", async (payload, said) => {
  const answer = await call("POST", "/api/v1/forks", payload);
  expect(answer.statusCode).toBe(400);
  expect(answer.json<{ error: string }>().error).toContain(said);
  expect(ensureFork).not.toHaveBeenCalled();
});

test("no fork is made while a member that may have one of this name cannot be asked", async () => {
  away = ["db3"];
  const answer = await call("POST", "/api/v1/forks", { name: "nightly" });
  expect(answer.statusCode).toBe(502);
  expect(answer.json<{ error: string }>().error).toContain(
    "fork nightly: db3 cannot be reached, and may have one of this name",
  );
  expect(ensureFork).not.toHaveBeenCalled();
});

test("a fork is removed where it is, and one that is nowhere is no mistake", async () => {
  const changed: string[] = [];
  served.changed = (host, action) => void changed.push(`${host}: ${action}`);
  const gone = await call("DELETE", "/api/v1/forks/try");
  expect(gone.json()).toEqual({ removedFrom: ["db2"] });
  expect((await call("DELETE", "/api/v1/forks/other")).json()).toEqual({ removedFrom: [] });
  expect(changed).toEqual(["db2: removing the fork"]);
  expect(served.audited).toMatchObject([
    { method: "DELETE", path: "/api/v1/forks/try", status: 200 },
    { method: "DELETE", path: "/api/v1/forks/other", status: 200 },
  ]);
});

test("a fork that the stack would make again is not removed, nor what is no fork's name", async () => {
  const answer = await call("DELETE", "/api/v1/forks/staging");
  expect(answer.statusCode).toBe(400);
  expect(answer.json<{ error: string }>().error).toContain('it is declared in stack "lab"');
  expect((await call("DELETE", "/api/v1/forks/..%2Ftry")).statusCode).toBe(400);
});

test.each([
  ["GET", "/api/v1/forks"],
  ["POST", "/api/v1/forks"],
  ["DELETE", "/api/v1/forks/try"],
] as const)("%s %s takes the token, as all does", async (method, url) => {
  expect((await served.app.inject({ method, url })).statusCode).toBe(401);
});
