import { expect, test } from "vitest";
import {
  expectedInterruption,
  renderReport,
  settingChanges,
} from "../../../src/migration/operations/report";
import { FOUND } from "../../source";

const PLAN = {
  cluster: "shop",
  host: "a1",
  parameters: { max_connections: "120", work_mem: "6MB", hot_standby: "on" },
  needed: {},
  others: ["a2", "a3"],
  maxRate: 0,
  method: "adopt" as const,
};

test("a server that stays as it is is not interrupted", () => {
  const changes = settingChanges(FOUND, PLAN);
  expect(changes).toEqual([]);
  expect(expectedInterruption(changes)).toBe("none until the clients move: no restart is needed");
});

test("each setting that changes is told with what it takes and why", () => {
  const plan = {
    ...PLAN,
    parameters: { ...PLAN.parameters, wal_log_hints: "on", work_mem: "8MB" },
  };
  expect(settingChanges(FOUND, plan)).toEqual([
    {
      name: "wal_log_hints",
      from: "off",
      to: "on",
      by: "restart",
      why: "pg_rewind needs it where there are no checksums",
    },
    {
      name: "work_mem",
      from: "6MB",
      to: "8MB",
      by: "reload",
      why: "pgherd:cluster.postgresql.parameters says so",
    },
  ]);
});

test("commits that are to wait for a replica from now on are told with the reason", () => {
  const running = { ...FOUND.source.running, synchronous_commit: "local" };
  const found = { ...FOUND, source: { ...FOUND.source, running } };
  const plan = { ...PLAN, parameters: { ...PLAN.parameters, synchronous_commit: "on" } };
  expect(settingChanges(found, plan)).toEqual([
    {
      name: "synchronous_commit",
      from: "local",
      to: "on",
      by: "reload",
      why: "pgherd:cluster.replication.mode says that commits wait for a replica",
    },
  ]);
});

test("what replicas cannot do without is restarted for at once, the rest once they stream", () => {
  const plan = {
    ...PLAN,
    parameters: { ...PLAN.parameters, wal_log_hints: "on" },
    needed: { listen_addresses: "*" },
  };
  const found = {
    ...FOUND,
    source: {
      ...FOUND.source,
      running: { ...FOUND.source.running, listen_addresses: "localhost" },
    },
  };
  expect(expectedInterruption(settingChanges(found, plan))).toBe(
    "one restart when it is adopted (listen_addresses, wal_log_hints)",
  );
});

test("the report names what is kept, who is connected and how to go back", () => {
  const text = renderReport(FOUND, PLAN);
  expect(text).toContain("shop: 5 GB, de_DE.UTF-8, pg_trgm");
  expect(text).toContain("of these only in postgresql.auto.conf: work_mem");
  expect(text).toContain("logical slot feed of shop");
  expect(text).toContain("shop in shop from 10.0.0.50, app: 3 sessions");
  expect(text).toContain("about 52 s at 100 MB per second");
  expect(text).toContain("pgherd:cluster.migration.rollback: true");
});

test("a database that lets nobody in is there, and what was not looked into is told", () => {
  const [shop] = FOUND.details.databases;
  if (!shop) throw new Error("expected a database");
  const closed = { ...shop, extensions: [], closed: "allowConnections" as const };
  const dropping = { ...shop, name: "half", extensions: [], closed: "dropping" as const };
  const details = { ...FOUND.details, databases: [{ ...closed, name: "archive" }, dropping, shop] };
  const text = renderReport({ ...FOUND, details }, PLAN);
  expect(text).toContain("archive: 5 GB, de_DE.UTF-8, lets nobody in: not looked into");
  expect(text).toContain("archive lets nobody in (ALLOW_CONNECTIONS is false): it comes as it is");
  expect(text).toContain("half lets nobody in, since its dropping was cut off");
});

test("an open transaction is told with what it does to logical slots, where there are any", () => {
  const details = { ...FOUND.details, oldestTransaction: 300 };
  expect(renderReport({ ...FOUND, details }, PLAN)).toContain(
    "open for 300 s: if it has written, end it before the step replicated",
  );
  const without = { source: { ...FOUND.source, slots: [] }, details };
  expect(renderReport(without, PLAN)).not.toContain("before the step replicated");
  const following = { ...PLAN, method: "standbyCluster" as const };
  expect(renderReport({ ...FOUND, details }, following)).not.toContain(
    "before the step replicated",
  );
});

test("the report tells the server's new name, and needs no restart for it", () => {
  const text = renderReport(FOUND, PLAN);
  expect(text).toContain("cluster_name: 17/main → shop (the next restart): Patroni calls");
  expect(text).toContain("Interruption   none until the clients move");
  const same = { ...FOUND.source, configured: { cluster_name: "shop" } };
  expect(renderReport({ ...FOUND, source: same }, PLAN)).not.toContain("cluster_name");
});

test("what waits for a restart comes as it runs, and no choice is told where Patroni has it", () => {
  const waiting = (name: string) => ({
    ...{ name, file: "in its files", from: "/etc/postgresql.conf", running: "as it runs" },
  });
  const pending = [waiting("cluster_name"), waiting("shared_buffers")];
  const parameters = { ...PLAN.parameters, shared_buffers: "as it runs" };
  const details = { ...FOUND.details, pending };
  const text = renderReport({ ...FOUND, details }, { ...PLAN, parameters });
  expect(text).toContain("For the other one: pgherd:cluster.postgresql.parameters.shared_buffers");
  expect(text).not.toContain("parameters.cluster_name");
});

test("folders of sockets that other members have not, and what is not carried, are told", () => {
  const running = {
    ...FOUND.source.running,
    unix_socket_directories: "/var/run/postgresql, /srv/shop/run",
  };
  const configured = { work_mem: "6MB", synchronous_standby_names: "gone", port: "5432" };
  const text = renderReport({ ...FOUND, source: { ...FOUND.source, running, configured } }, PLAN);
  expect(text).toContain(
    "sockets in /srv/shop/run (unix_socket_directories) stay a1's alone: a2, a3 have theirs in /var/run/postgresql",
  );
  expect(text).toContain(
    "not carried over, since they are Patroni's to set: synchronous_standby_names\n",
  );
});

test("what a cluster takes over from no server is told by name, without its value", () => {
  const configured = { recovery_target_timeline: "latest", primary_slot_name: "", port: "5432" };
  const details = { ...FOUND.details, leftOut: ["primary_conninfo", "restore_command"] };
  const text = renderReport({ source: { ...FOUND.source, configured }, details }, PLAN);
  expect(text).toContain(
    "not carried over, since they are Patroni's to set: primary_conninfo, recovery_target_timeline, restore_command\n",
  );
});

test("a file that notes the server's process, and that somebody has asked for, is told", () => {
  const told = (file: string) => {
    const configured = { external_pid_file: file };
    return renderReport({ ...FOUND, source: { ...FOUND.source, configured } }, PLAN);
  };
  expect(told("/srv/shop/db.pid")).toContain(
    "/srv/shop/db.pid (external_pid_file) is not written any more once Patroni starts the server",
  );
  expect(told("/var/run/postgresql/17-main.pid")).not.toContain("external_pid_file");
});

test("what somebody has set for the server's unit alone is told, with where it belongs", () => {
  const file = "/etc/systemd/system/postgresql@.service.d/limits.conf";
  const found = { ...FOUND, details: { ...FOUND.details, unitFiles: [file] } };
  expect(renderReport(found, PLAN)).toContain(
    `set for postgresql@17-main.service alone: ${file}. They hold until Patroni restarts the server; ` +
      "what is to hold then goes into /etc/systemd/system/patroni.service.d, on each member",
  );
  const following = renderReport(found, { ...PLAN, method: "standbyCluster" as const });
  expect(following).toContain(`alone: ${file}. What is to hold for the members too goes into`);
  expect(renderReport(FOUND, PLAN)).not.toContain("patroni.service.d");
});
