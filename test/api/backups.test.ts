import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
import type { RestorableCluster } from "../../src/cluster/restore-plan";
import { considerRestore } from "../../src/cluster/restore-plan";
import { performRestore } from "../../src/cluster/restore";
import { considerUndo, cutOffRestore, undoRestore } from "../../src/cluster/restore-undo";
import { Refusal } from "../../src/cluster/cluster";
import { testServer, TOKEN, type TestServer } from "./test-server";

// What a restore finds and does is not of interest here: who may have it done, and what has to be said before.
vi.mock("../../src/cluster/restore-plan", { spy: true });
vi.mock("../../src/cluster/restore", { spy: true });
vi.mock("../../src/cluster/restore-undo", { spy: true });

const BACKUP = {
  ...{ host: "backup1", home: "/var/lib/barman/demo", slot: "barman", timers: [] },
  ...{ maximumAgeDays: 2, verifyWithinDays: 7, results: "/var/lib/pgherd/verified" },
};

const RECORDS = `backup 20261121T020001
status=DONE
begin_time=2026-11-21 02:00:01+00:00
end_time=2026-11-21 02:05:00+00:00
timeline=1
size=1000
free=1000000
next=1795312800
now=1795226400
`;

let served: TestServer;
/** What the backup host says of Barman's own checks. */
let checks: string;
/** Of each unit of systemd's. */
let unit: string;
let records: string;
/** Whether the unit of backups is known there. */
let loaded: string;

// One for all of them, since a server takes a while to make.
beforeAll(async () => {
  const says = (host: string, script: string) => {
    if (host !== "backup1") return "";
    if (script.includes("LoadState")) return loaded;
    if (script.includes("barman check")) return checks;
    if (script.includes("systemctl show --timestamp")) return unit;
    return records;
  };
  served = await testServer([], says, BACKUP);
}, 60_000);

beforeEach(() => {
  [checks, unit, records] = ["\tssh: OK\n", "ActiveState=inactive\n", RECORDS];
  loaded = "";
  served.changed = () => undefined;
  served.audited.length = 0;
  vi.resetAllMocks();
});

afterAll(() => served.close());

const call = (method: "GET" | "POST", url: string, payload?: object) =>
  served.app.inject({ method, url, payload, headers: { authorization: `Bearer ${TOKEN}` } });

test("backups are listed with what is known of them", async () => {
  const answer = await call("GET", "/api/v1/backups");
  expect(answer.json()).toMatchObject({
    backups: [{ id: "20261121T020001", status: "DONE", size: 1000 }],
    ...{ taking: false, nextBackupAt: 1795312800 },
  });
});

test("Barman's checks are told, those that fail with what it says", async () => {
  expect((await call("GET", "/api/v1/backups/checks")).json()).toEqual({ ok: true, failed: [] });
  checks = "\tssh: FAILED (no route)\n";
  expect((await call("GET", "/api/v1/backups/checks")).json()).toEqual({
    ...{ ok: false, failed: ["ssh (no route)"] },
  });
});

test("a backup is taken while something else is done to the cluster, and recorded", async () => {
  let release = () => undefined as void;
  const other = served.live.act("restart of db3", () => new Promise<void>((r) => (release = r)));
  served.changed = (_host, action) => {
    if (action === "starting a backup") records = `backup 20261122T020001\nstatus=DONE\n${RECORDS}`;
  };
  const answer = await call("POST", "/api/v1/backups");
  expect(answer.json()).toMatchObject({ id: "20261122T020001", status: "DONE" });
  expect(served.audited).toMatchObject([{ method: "POST", path: "/api/v1/backups", status: 200 }]);
  release();
  await other;
});

test("a backup that does not come about is told with the reason", async () => {
  // Those of former backups keep none from starting.
  checks = "\tfailed backups: FAILED (there are 1 failed backups)\n\tPostgreSQL: FAILED\n";
  const answer = await call("POST", "/api/v1/backups");
  expect(answer.statusCode).toBe(502);
  expect(answer.json<{ error: string }>().error).toContain(
    "backup1: the backup did not start, as Barman's checks fail: PostgreSQL.",
  );
});

test.each([
  ["GET", "/api/v1/backups"],
  ["POST", "/api/v1/backups"],
  ["POST", "/api/v1/backups/verify"],
  ["GET", "/api/v1/restore?latest=true"],
  ["POST", "/api/v1/restore"],
  ["POST", "/api/v1/restore/undo"],
  ["POST", "/api/v1/restore/resume"],
] as const)("%s %s takes the token, as all does", async (method, url) => {
  expect((await served.app.inject({ method, url })).statusCode).toBe(401);
});

test("where no run of pulumi has set backups up yet, that is the answer, and nothing is begun", async () => {
  loaded = "absent\n";
  const begun: string[] = [];
  served.changed = (_host, action) => void begun.push(action);
  for (const url of ["/api/v1/backups", "/api/v1/backups/verify"]) {
    const answer = await call("POST", url);
    expect(answer.statusCode).toBe(502);
    expect(answer.json<{ error: string }>().error).toMatch(
      /^backup1: expected the backups of \w+ to be set up there, found nothing of them yet\.\nRun pulumi up\./,
    );
  }
  expect(begun).toEqual([]);
});

test("a stack without backups has none of these calls", async () => {
  const without = await testServer();
  const headers = { authorization: `Bearer ${TOKEN}` };
  for (const url of ["/api/v1/backups", "/api/v1/restore?latest=true"])
    expect((await without.app.inject({ method: "GET", url, headers })).statusCode).toBe(404);
  await without.close();
});

/** What a restore would do, found anew by each call. */
function restoring(lost: string, backup = "20261121T020001") {
  vi.mocked(considerRestore).mockImplementation(async () => ({
    ...{ target: {}, timeline: 1, first: "db1", members: ["db1", "db2"], leads: true },
    ...{ backup: { id: backup } as never, problems: [], refusals: [], objections: [] },
    effects: [`loses ${lost}`],
  }));
  vi.mocked(performRestore).mockResolvedValue({
    ...{ backup, seconds: 20, timeline: 2, kept: { db1: "/data.before-restore-TIME" } },
  });
}

test("a restore is done only by who says what was told of it before, and once", async () => {
  restoring("the last 5 minutes");
  const told = (await call("GET", "/api/v1/restore?latest=true")).json<{ confirm: string }>();
  expect(told).toMatchObject({ effects: ["loses the last 5 minutes"], refusals: [] });
  // Time goes on while one reads.
  restoring("the last 6 minutes");
  const done = await call("POST", "/api/v1/restore", { latest: true, confirm: told.confirm });
  expect(done.json()).toMatchObject({ timeline: 2, kept: { db1: "/data.before-restore-TIME" } });
  expect(performRestore).toHaveBeenCalledTimes(1);
  expect(served.audited).toMatchObject([
    { path: "/api/v1/restore", body: { latest: true, confirm: told.confirm }, status: 200 },
  ]);
});

test("a restore may put tablespaces elsewhere, and the word for it says where", async () => {
  restoring("the last 5 minutes");
  const one = "tablespace=figures:/srv/a";
  await call("GET", `/api/v1/restore?latest=true&${one}`);
  await call("GET", `/api/v1/restore?latest=true&${one}&tablespace=old:/srv/b`);
  const wished = vi.mocked(considerRestore).mock.calls.map(([, { tablespaces }]) => tablespaces);
  expect(wished).toEqual([{ figures: "/srv/a" }, { figures: "/srv/a", old: "/srv/b" }]);
});

test.each([
  ["nothing", undefined, 400],
  ["something else", "yes", 409],
])("a restore to which %s was said does not begin", async (_what, confirm, status) => {
  restoring("the last 5 minutes");
  const answer = await call("POST", "/api/v1/restore", { latest: true, confirm });
  expect(answer.statusCode).toBe(status);
  expect(performRestore).not.toHaveBeenCalled();
});

test("a restore that would lose something else than was agreed to is refused, with what it would lose now", async () => {
  restoring("the last 5 minutes");
  const { confirm } = (await call("GET", "/api/v1/restore?latest=true")).json<{
    confirm: string;
  }>();
  restoring("all since yesterday", "20261120T020001");
  const answer = await call("POST", "/api/v1/restore", { latest: true, confirm });
  expect(answer.statusCode).toBe(409);
  expect(answer.json<{ reasons: string[] }>().reasons).toContain("loses all since yesterday");
  expect(performRestore).not.toHaveBeenCalled();
});

test("a restore that is refused is told to who asks, and there is nothing to agree to", async () => {
  vi.mocked(considerRestore).mockRejectedValue(new Refusal("The restore", ["No backup."]));
  const answer = await call("GET", "/api/v1/restore?latest=true");
  expect(answer.json()).toEqual({ refusals: ["No backup."], objections: [], effects: [] });
});

test.each([
  ["/api/v1/restore", {}],
  ["/api/v1/restore?latest=true&targetXid=5", {}],
  ["/api/v1/restore?targetXid=five", {}],
  ["/api/v1/restore?target=now", {}],
  ["/api/v1/restore?latest=true&tablespace=figures", {}],
])("%s is a mistake that is told", async (url) => {
  const answer = await call("GET", url);
  expect(answer.statusCode).toBe(400);
  expect(considerRestore).not.toHaveBeenCalled();
});

test("an undoing takes the word for exactly that restore", async () => {
  const record = { first: "db1", members: ["db1"], phase: "moving", aside: "before-restore-1" };
  const at = { record, within: ["db1"], silent: [] } as never;
  vi.mocked(cutOffRestore).mockResolvedValue(at);
  vi.mocked(considerUndo).mockResolvedValue({ refusals: [], objections: [], effects: ["puts"] });
  vi.mocked(undoRestore).mockResolvedValue({ kept: {} });
  const { confirm } = (await call("GET", "/api/v1/restore/undo")).json<{ confirm: string }>();
  // What was said of it is not said of going on.
  const other = await call("POST", "/api/v1/restore/resume", { confirm });
  expect(other.statusCode).not.toBe(200);
  const answer = await call("POST", "/api/v1/restore/undo", { confirm });
  expect(answer.json()).toEqual({ undone: ["db1"], kept: {} });
});

test("where no restore was cut off there is nothing to undo or to go on with", async () => {
  vi.mocked(cutOffRestore).mockRejectedValue(new Refusal("This", ["no restore was cut off."]));
  for (const what of ["undo", "resume"]) {
    expect((await call("GET", `/api/v1/restore/${what}`)).json()).toMatchObject({
      refusals: ["no restore was cut off."],
    });
    const answer = await call("POST", `/api/v1/restore/${what}`, { confirm: "x" });
    expect(answer.statusCode).toBe(409);
  }
});

test("a restore that is under way when the server stops is taken back", async () => {
  restoring("the last 5 minutes");
  let stopped: unknown;
  vi.mocked(performRestore).mockImplementation(
    (_cluster: RestorableCluster, _intent, signal?: AbortSignal) =>
      new Promise((_resolve, reject) =>
        signal?.addEventListener("abort", () => reject((stopped = signal.reason))),
      ),
  );
  const { confirm } = (await call("GET", "/api/v1/restore?latest=true")).json<{
    confirm: string;
  }>();
  const going = call("POST", "/api/v1/restore", { latest: true, confirm });
  await vi.waitFor(() => expect(performRestore).toHaveBeenCalled());
  served.ending.abort(new Error("The server was stopped."));
  await served.live.settled();
  expect(stopped).toMatchObject({ message: "The server was stopped." });
  expect((await going).statusCode).toBe(500);
});
