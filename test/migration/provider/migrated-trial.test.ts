import { expect, test } from "vitest";
import type { Probe } from "../../../src/host/host";
import { adoption } from "../../../src/migration/provider/adoption";
import type { Context } from "../../../src/provider/context";
import { migrationReport } from "../../../src/migration/provider/report";
import type { WaitingSetting } from "../../../src/migration/facts/source";
import type { AdoptionInputs } from "../../../src/migration/inputs/adoption";
import type { Source } from "../../../src/migration/inputs/source";
import type { MigrationReportInputs } from "../../../src/migration/inputs/survey";

const SOURCE = {
  version: 17,
  dataDirectory: "/srv/shop",
  binDirectory: "/opt/pg/bin",
  port: 5432,
  roles: [],
  unit: "",
} as unknown as Source;

const REFUSED = 'could not access file "nosuch": No such file or directory';
const TOLD = (host: string) =>
  `${host}: expected PostgreSQL to start with what its own files and pgherd:cluster.postgresql.parameters say together, it does not: ${REFUSED}. ` +
  "It would not come back from a restart. Mend it there or in the stack. ";

/** Hosts on one of which a server does not start, what they are asked to try, and what is changed on them. */
function hosts(refusing: string, waiting: readonly WaitingSetting[] = []) {
  const tried: { [host: string]: string } = {};
  const changed: string[] = [];
  const warned: string[] = [];
  const context = {
    progress() {},
    info() {},
    warn: (_urn: string, text: string) => warned.push(text),
    host: (name: string) => ({
      async observe({ script }: Probe<unknown>): Promise<unknown> {
        if (script.includes("initdb")) {
          tried[name] = script;
          return name === refusing ? [REFUSED] : [];
        }
        if (script.includes("as last where waits")) return waiting;
        if (script.includes("MemTotal")) return { memory: 8 * 2 ** 30 };
        return script.includes("systemctl show") ? { active: "inactive" } : undefined;
      },
      async change(what: string): Promise<string> {
        changed.push(`${name} ${what}`);
        return "";
      },
    }),
  } as unknown as Context;
  return { context, tried, changed, warned };
}

const PARAMETERS = { shared_preload_libraries: "nosuch", min_wal_size: "5MB" };

test("a preview refuses to migrate a server that would not start again", async () => {
  const { context, tried } = hosts("db1");
  const inputs = report({ parameters: PARAMETERS });
  await expect(migrationReport.apply(context, "urn", inputs)).rejects.toThrow(
    `${TOLD("db1")}Nothing was touched.`,
  );
  expect(tried.db1).toContain("/opt/pg/bin/initdb");
  expect(tried.db1).toContain("shared_preload_libraries = 'nosuch'");
  // Enough for segments of 1 MB, which its data tells of.
  expect(tried.db1).toContain("min_wal_size = '5MB'");
  expect(tried.db1).toContain("pg_controldata -D /srv/shop ");
});

const ALTERED = {
  ...{ name: "superuser_reserved_connections", file: "5000", running: "3" },
  from: "/srv/shop/postgresql.auto.conf",
};

const report = (changes: object = {}) =>
  ({
    ...{ cluster: "shop", host: "db1", superuser: "postgres", method: "adopt", keptOn: [] },
    ...{ source: SOURCE, parameters: {}, others: [] },
    ...changes,
  }) as unknown as MigrationReportInputs;

test("a preview names what ALTER SYSTEM has set, never in force, that the server could not start with", async () => {
  const { context, tried } = hosts("db1", [ALTERED]);
  await expect(migrationReport.apply(context, "urn", report())).rejects.toThrow(
    "db1: expected PostgreSQL to start with what its own files say, of which it does not run with superuser_reserved_connections = 5000, it does not: " +
      `${REFUSED}. It would not come back from a restart, nor its copies. ` +
      "Run there: SET default_transaction_read_only = off; ALTER SYSTEM RESET superuser_reserved_connections; Nothing was touched.",
  );
  expect(tried.db1).toContain("superuser_reserved_connections = '5000'");
  // A trial takes no data directory but its own.
  expect(tried.db1).not.toMatch(/^data_directory/m);
});

test("a preview names more shared_buffers than there is memory, which wait in a file for a restart", async () => {
  const waiting = {
    ...{ name: "shared_buffers", file: "900GB", running: "128MB" },
    from: "/etc/postgresql/17/main/postgresql.conf",
  };
  const { context } = hosts("nobody", [waiting]);
  await expect(migrationReport.apply(context, "urn", report())).rejects.toThrow(
    /db1: expected shared_buffers to fit .* got "900GB"\. .*Mend shared_buffers in \/etc\/postgresql\/17\/main\/postgresql\.conf\./,
  );
});

test("of a server that is only followed just that counts which its copies would start with", async () => {
  const own = { ...ALTERED, name: "max_connections" };
  const elsewhere = { ...ALTERED, from: "/etc/postgresql/17/main/postgresql.conf" };
  const followed = report({ method: "standbyCluster", parameters: { work_mem: "6MB" } });
  const harmless = hosts("db1", [own, elsewhere]);
  // The report itself comes from a server that is not there.
  await migrationReport.apply(harmless.context, "urn", followed).catch(() => undefined);
  expect(harmless.tried).toEqual({});
  const { context, tried } = hosts("db1", [ALTERED]);
  await expect(migrationReport.apply(context, "urn", followed)).rejects.toThrow(
    "ALTER SYSTEM RESET superuser_reserved_connections;",
  );
  expect(tried.db1).toContain("work_mem = '6MB'");
});

test("a copy on a host without the memory for the server's shared_buffers is refused", async () => {
  const { context } = hosts("nobody");
  const inputs = report({ others: ["db2"], parameters: { shared_buffers: "64GB" } });
  await expect(migrationReport.apply(context, "urn", inputs)).rejects.toThrow(
    "db2: expected shared_buffers to fit into the host's memory, 8192 MB",
  );
});

test("a trial that lacks the server's environment is told only", async () => {
  const { context, warned } = hosts("db1");
  const source = { ...SOURCE, environmentFile: "/etc/postgresql/17/main/environment" };
  const inputs = report({ source, parameters: PARAMETERS });
  await migrationReport.apply(context, "urn", inputs).catch(() => undefined);
  expect(warned[0]).toContain(`${TOLD("db1")}Nothing was touched. It was tried without`);
});

test("a server is not prepared for Patroni as long as a copy of it could not start", async () => {
  const { context, tried, changed } = hosts("db2");
  const inputs = {
    ...{ cluster: "shop", host: "db1", superuser: "postgres", endpoints: [], unit: "masked" },
    ...{ source: SOURCE, parameters: PARAMETERS, others: { db2: "/var/lib/postgresql/17/main" } },
    roles: { superuser: "postgres", replication: "replicator", rewind: "rewinder" },
  } as unknown as AdoptionInputs;
  await expect(adoption.apply(context, "urn", inputs)).rejects.toThrow(TOLD("db2"));
  expect(changed).toEqual([]);
  expect(tried.db2).toContain("/usr/lib/postgresql/17/bin/initdb");
  // Keys in the data directory come with the data, and so does the size of the segments.
  expect(tried.db2).toContain("keys='-c ssl=off'");
  expect(tried.db2).toContain("segments=1 ");
});
