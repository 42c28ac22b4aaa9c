import { expect, test, vi } from "vitest";
import { considerReinit } from "../../src/cluster/members";
import { considerRestart, performRestart, restartMember } from "../../src/cluster/restart";
import { played } from "./played";

test("a restart that only settings would need has nothing to do where none waits", async () => {
  const at = played();
  await expect(performRestart(at.cluster, "db3", { pendingOnly: true })).rejects.toThrow(
    "Nothing waits for a restart on db3.",
  );
  expect(at.done).toEqual([]);
});

test("a replica is drained, restarted, and taken back in once it streams", async () => {
  const at = played();
  let looks = 0;
  at.changed = (_host, action) => {
    if (action === "restarting PostgreSQL") at.states.db3 = "starting";
  };
  at.asked = (_host, script) => {
    if (at.states.db3 && script.includes("8008/cluster") && ++looks === 6) delete at.states.db3;
  };
  await performRestart(at.cluster, "db3", {});
  expect(at.states.db3).toBeUndefined();
  expect(at.done).toEqual([
    "lb1: draining db3",
    "db3: restarting PostgreSQL",
    "lb1: taking db3 back in",
  ]);
});

test("one that restarts for a rolling change is back only when it is near its leader again", async () => {
  const at = played();
  at.lag.db3 = 5_000_000;
  let looks = 0;
  at.asked = (_host, script) => {
    if (script.includes("8008/cluster") && ++looks === 9) at.lag.db3 = 10;
  };
  await restartMember(at.cluster, "db3", { pendingOnly: true, maximumLag: 1_000_000 });
  expect(at.lag.db3).toBe(10);
});

test("the leader is not drained, and what a restart would cut speaks against it", async () => {
  const at = played();
  at.backups.db1 = [{ pid: 8, by: "barman", seconds: 300 }];
  expect(await considerRestart(at.cluster, "db1", {})).toMatchObject({
    refusals: [],
    objections: ["db1: barman has been copying its data for 300 s (process 8). It would be cut."],
  });
  await performRestart(at.cluster, "db1", { force: true });
  expect(at.done).toEqual(["db1: restarting PostgreSQL"]);
});

test("a restart that PostgreSQL would not come back from, by what ALTER SYSTEM has set, is refused", async () => {
  const at = played();
  at.altered.db3 = { shared_preload_libraries: "nosuch" };
  at.refusal = 'could not access file "nosuch": No such file or directory\n';
  await expect(performRestart(at.cluster, "db3", {})).rejects.toThrow(
    "db3: expected PostgreSQL to start with what ALTER SYSTEM has set there (shared_preload_libraries), it does not: " +
      'could not access file "nosuch": No such file or directory. It goes on as it is, and is not restarted. Take it back there: ' +
      'SET default_transaction_read_only = off; ALTER SYSTEM RESET "shared_preload_libraries"; SELECT pg_reload_conf();',
  );
  expect(at.done).toEqual([]);
  at.refusal = "";
  await performRestart(at.cluster, "db3", {});
  expect(at.done).toContain("db3: restarting PostgreSQL");
});

const FULL = `4096 false ${btoa("/var/lib/postgresql/17/main")} ${btoa("/var/lib/postgresql\n")}\n`;

test("that a disk is full speaks against a restart there, which PostgreSQL may not come back from", async () => {
  const at = played();
  at.full.db3 = FULL;
  const full =
    "db3: the file system at /var/lib/postgresql, where /var/lib/postgresql/17/main is, is full: it has 4 kB left for PostgreSQL. " +
    "Make room there, or enlarge it, and delete nothing by hand of what is PostgreSQL's, pg_wal least of all";
  expect((await considerRestart(at.cluster, "db3", {})).objections).toEqual([`${full}.`]);
  at.states.db3 = "start failed";
  expect((await considerRestart(at.cluster, "db3", {})).objections).toEqual([
    `${full}: Patroni then starts it by itself.`,
  ]);
  expect((await considerReinit(at.cluster, "db3")).effects[1]).toBe(
    `${full}. The copy has the room of what is deleted there, and no more.`,
  );
});

test("a restart of a member whose Patroni is kept away by a disk that is not mounted is refused with that reason", async () => {
  const at = played();
  at.states.db3 = "no answer";
  at.places.db3 =
    "the file system of /srv/ts is not there. Mount it, then: systemctl start patroni.";
  expect((await considerRestart(at.cluster, "db3", {})).refusals).toEqual([
    "Patroni on db3 does not answer; it restarts PostgreSQL.",
    `db3: ${at.places.db3}`,
  ]);
});

test("a restart ends soon after which Patroni cannot ask the server, and the member is taken back in", async () => {
  const at = played();
  at.states.db3 = "unknown";
  vi.useFakeTimers({ toFake: ["setTimeout", "Date"] });
  const going = expect(performRestart(at.cluster, "db3", {})).rejects.toThrow(
    /got: db3 unknown for 3\d s: its server runs, and Patroni cannot ask it\.\nNext: `pgherd status` tells/,
  );
  await vi.advanceTimersByTimeAsync(45_000);
  await going;
  vi.useRealTimers();
  expect(at.done.at(-1)).toBe("lb1: taking db3 back in");
});

test("one that would come to nothing is refused of a server that Patroni cannot ask, too", async () => {
  const at = played();
  at.states.db3 = "unknown";
  at.altered.db3 = { shared_preload_libraries: "nosuch" };
  at.refusal = 'could not access file "nosuch": No such file or directory\n';
  const { refusals } = await considerRestart(at.cluster, "db3", {});
  expect(refusals).toHaveLength(1);
});

test("what a trial has no room for is counted and looked at before a restart", async () => {
  const refusals = async (altered: { readonly [name: string]: string }, closed = "") => {
    const at = played();
    at.altered.db3 = altered;
    at.closedSockets = closed;
    return (await considerRestart(at.cluster, "db3", {})).refusals;
  };
  const back = (name: string) =>
    ` It goes on as it is, and is not restarted. Take it back there: SET default_transaction_read_only = off; ALTER SYSTEM RESET "${name}"; SELECT pg_reload_conf();`;
  expect(await refusals({ shared_buffers: "900GB" })).toEqual([
    'db3: expected shared_buffers to fit into the host\'s memory, 8192 MB, got "900GB". Lower it. ' +
      `ALTER SYSTEM has set that there.${back("shared_buffers")}`,
  ]);
  expect(await refusals({ shared_buffers: "1GB" })).toEqual([]);
  expect((await refusals({ huge_pages: "on", shared_buffers: "1GB" })).join()).toContain(
    'db3: expected huge pages, more than 1024 MB for shared_buffers, for huge_pages "on", the host has 200 MB of them.',
  );
  expect(await refusals({ huge_pages: "on", shared_buffers: "128MB" })).toEqual([]);
  // pulumi up takes it back first; the verb restarts with what is there.
  const nowhere = 'there is no directory "/nowhere" (unix_socket_directories)';
  expect(await refusals({ unix_socket_directories: "/nowhere" }, `${nowhere}\n`)).toEqual([
    `db3: expected PostgreSQL to start with what ALTER SYSTEM has set there (unix_socket_directories), it does not: ${nowhere}.${back("unix_socket_directories")}`,
  ]);
});
