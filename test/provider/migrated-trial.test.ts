import { expect, test } from "vitest";
import type { Probe } from "../../src/host/host";
import { adoption } from "../../src/provider/adoption";
import type { Context } from "../../src/provider/context";
import { migrationReport } from "../../src/provider/migration-report";
import type { AdoptionInputs } from "../../src/resources/inputs/adoption";
import type { Source } from "../../src/resources/inputs/source";
import type { MigrationReportInputs } from "../../src/resources/inputs/survey";

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
function hosts(refusing: string) {
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
  const inputs = {
    ...{ cluster: "shop", host: "db1", superuser: "postgres", method: "adopt", keptOn: [] },
    ...{ source: SOURCE, parameters: PARAMETERS },
  } as unknown as MigrationReportInputs;
  await expect(migrationReport.apply(context, "urn", inputs)).rejects.toThrow(
    `${TOLD("db1")}Nothing was touched.`,
  );
  expect(tried.db1).toContain("/opt/pg/bin/initdb");
  expect(tried.db1).toContain("shared_preload_libraries = 'nosuch'");
  // Enough for segments of 1 MB, and too little for those of a trial.
  expect(tried.db1).not.toContain("min_wal_size");
});

test("a trial that lacks the server's environment is told only", async () => {
  const { context, warned } = hosts("db1");
  const source = { ...SOURCE, environmentFile: "/etc/postgresql/17/main/environment" };
  const inputs = {
    ...{ cluster: "shop", host: "db1", superuser: "postgres", method: "adopt", keptOn: [] },
    ...{ source, parameters: PARAMETERS },
  } as unknown as MigrationReportInputs;
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
  // Keys in the data directory come with the data.
  expect(tried.db2).toContain("-c ssl=off");
});
