import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { rawStack } from "../../src/cli/stack";
import { parseSettings } from "../../src/config/parse";
import { hugePagesProbe, trialProbe } from "../../src/facts/trial";
import { planPreflight } from "../../src/plan/preflight";
import { tooLarge, withoutHugePages } from "../../src/operations/memory-to-start";
import { withoutAbsentFiles, withoutExtensions } from "../../src/provider/preflight-trial";
import { describeExtensions, described } from "../../src/provider/trial";
import type { FoundHost } from "../../src/provider/found-host";
import type { TrialInput } from "../../src/resources/inputs/preflight";

const TRIAL: TrialInput = {
  version: 17,
  dataDirectory: "/var/lib/postgresql/17/main",
  settings: { ssl: "on", search_path: "it's" },
  hba: ["host a b 10.0.0.0/8 reject", "host a b 10.0.0.0/8 ldap ldapserver=x ldapport=abc"],
  extensions: [],
};

const WORDS = {
  what: "pgherd:cluster.postgresql says",
  next: "Mend its parameters or pgHba. Nothing was touched.",
};

test("why a server would not start is told in its own words, with the user's own line", () => {
  expect(described("db1", TRIAL, [], WORDS)).toEqual([]);
  expect(
    described(
      "db1",
      TRIAL,
      [
        'invalid LDAP port number: "abc"',
        'line 3 of configuration file "/tmp/pgherd-trial.y5KoHt/data/pg_hba.conf"',
        "could not load pg_hba.conf",
        'configuration file "/tmp/pgherd-trial.y5KoHt/data/postgresql.conf" contains errors',
      ],
      WORDS,
    ),
  ).toEqual([
    "db1: expected PostgreSQL to start with what pgherd:cluster.postgresql says, it does not: " +
      'invalid LDAP port number: "abc"; line "host a b 10.0.0.0/8 ldap ldapserver=x ldapport=abc"; could not load pg_hba.conf. ' +
      "Mend its parameters or pgHba. Nothing was touched.",
  ]);
});

test("shared_buffers that no host has the memory for are refused on each", () => {
  const member = { host: "db1", facts: { memory: 8 * 2 ** 30 } } as FoundHost;
  const wanting = (shared_buffers: string) =>
    tooLarge({ ...TRIAL, settings: { shared_buffers } }, member);
  expect(wanting("900GB")[0]).toContain(
    'db1: expected shared_buffers to fit into the host\'s memory, 8192 MB, got "900GB".',
  );
  expect(wanting("8GB")).toHaveLength(1);
  expect(wanting("1048576")).toHaveLength(1);
  expect(wanting("7GB")).toEqual([]);
  expect(tooLarge(TRIAL, member)).toEqual([]);
});

test("huge pages that a host does not have are refused where a server would not start without", () => {
  const wanting = (settings: TrialInput["settings"], bytes: number) =>
    withoutHugePages({ ...TRIAL, settings }, "db2", bytes);
  expect(wanting({ huge_pages: "on" }, 0)).toEqual([
    'db2: expected huge pages, some, for huge_pages "on", the host has 0 MB of them. ' +
      "Set vm.nr_hugepages in pgherd:cluster.system.sysctl, or huge_pages to try.",
  ]);
  expect(wanting({ huge_pages: "true", shared_buffers: "1GB" }, 2 ** 29)[0]).toContain(
    "expected huge pages, more than 1024 MB for shared_buffers, ",
  );
  expect(wanting({ huge_pages: "on", shared_buffers: "1GB" }, 2 ** 31)).toEqual([]);
  for (const huge_pages of ["try", "off"]) expect(wanting({ huge_pages }, 0)).toEqual([]);
  const coming = { ...TRIAL, settings: { huge_pages: "on" }, hugePagesCome: true };
  expect(withoutHugePages(coming, "db2", 0)).toEqual([]);
});

test("huge pages are counted in the size that is asked for, those that the kernel may make included", () => {
  const probe = hugePagesProbe({ ...TRIAL, settings: { huge_page_size: "1GB" } });
  expect(probe.script).toContain("size=1048576\n");
  expect(probe.parse("1048576 3\n1048576 1\n")).toBe(4 * 2 ** 30);
  expect(probe.parse("")).toBe(0);
});

test("a trial reaches nobody, archives nothing and is gone afterwards", () => {
  const { script } = trialProbe(TRIAL);
  for (const option of ["listen_addresses=", "archive_mode=off", "archive_command="]) {
    expect(script).toContain(`-c ${option} `);
  }
  expect(script).toContain("search_path = 'it''s'\n");
  // Nor does it write over what another server on the host has there.
  const old = trialProbe({ ...TRIAL, version: 14, settings: { stats_temp_directory: "/run/pg" } });
  expect(old.script).toContain("-c stats_temp_directory=pg_stat_tmp ");
  expect(script).not.toContain("stats_temp_directory");
  // Keys are where the member's server looks for them.
  expect(script).toContain("-c ssl_key_file=/var/lib/postgresql/17/main/server.key");
  expect(trialProbe({ ...TRIAL, dataComes: true }).script).toContain("keys='-c ssl=off'");
  expect(script).not.toContain("keys='-c ssl=off'");
  expect(script).toContain("trap 'rm -rf \"$work\"' EXIT");
});

/** Of the machine that tests; the script itself is the same for all. */
const VERSION = [18, 17, 16, 15, 14, 13].find((one) =>
  existsSync(`/usr/lib/postgresql/${one}/bin/initdb`),
);

test.runIf(VERSION !== undefined && process.getuid?.() === 0)(
  "min_wal_size is tried with segments of the size that the data has or may have",
  () => {
    const version = VERSION ?? 0;
    const folder = mkdtempSync("/tmp/pgherd-segments-");
    const dataDirectory = join(folder, "data");
    spawnSync("chown", ["postgres", folder]);
    const said = (changes: Partial<TrialInput> = {}) => {
      const settings = { min_wal_size: "5MB" };
      const trial = { version, dataDirectory, settings, hba: [], extensions: [], ...changes };
      const { script, parse } = trialProbe(trial);
      return parse(spawnSync("sh", ["-eu"], { input: script, encoding: "utf8" }).stdout);
    };
    try {
      expect(said().join()).toContain("min_wal_size");
      expect(said({ dataComes: true })).toEqual([]);
      const initdb = [`/usr/lib/postgresql/${version}/bin/initdb`, "--wal-segsize=1", "-N"];
      spawnSync("runuser", ["-u", "postgres", "--", ...initdb, "-D", dataDirectory]);
      expect(said()).toEqual([]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);

test.runIf(VERSION !== undefined && process.getuid?.() === 0)(
  "a directory for its log that the server cannot write to is found before it has to start there",
  () => {
    const folder = mkdtempSync("/tmp/pgherd-logs-");
    chmodSync(folder, 0o755);
    const place = (name: string, mode: number) => {
      mkdirSync(join(folder, name));
      chmodSync(join(folder, name), mode);
      return join(folder, name);
    };
    const [closed, open, hidden] = [
      place("closed", 0o755),
      place("o'pen", 0o777),
      place("x", 0o700),
    ];
    const said = (log_directory: string, logging_collector = "yes") => {
      const settings = { logging_collector, log_directory };
      const trial = { ...TRIAL, version: VERSION ?? 0, dataDirectory: closed, hba: [], settings };
      const { script, parse } = trialProbe(trial);
      return parse(spawnSync("sh", ["-eu"], { input: script, encoding: "utf8" }).stdout);
    };
    try {
      expect(said(closed)).toEqual([
        `could not open a log file in "${closed}" (log_directory): the user postgres may not write there`,
      ]);
      expect(said("log")).toEqual([
        `could not open a log file in "${closed}/log" (log_directory): the user postgres may not make that directory`,
      ]);
      expect(said(join(hidden, "log")).join()).toContain("may not make that directory");
      expect(said(join(open, "a/b")).join()).toContain("may not make that directory");
      for (const fine of [open, join(open, "log"), "/var/../tmp"]) expect(said(fine)).toEqual([]);
      // It writes no log of its own there.
      expect(said(closed, "off")).toEqual([]);
      expect(readdirSync(open)).toEqual([]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);

test
  .runIf(VERSION !== undefined && process.getuid?.() === 0)
  .each<[name: string, settings: TrialInput["settings"], told: string | undefined]>([
    [
      "a library of sessions that is not there",
      { session_preload_libraries: "nosuch" },
      'db1: expected PostgreSQL to let anybody in with what pgherd:cluster.postgresql says, it does not: could not access file "nosuch": No such file or directory. ',
    ],
    [
      "a library of sessions that is not among those for everybody",
      { local_preload_libraries: "auto_explain" },
      'db1: expected PostgreSQL to let anybody in with what pgherd:cluster.postgresql says, it does not: could not access file "$libdir/plugins/auto_explain": No such file or directory. ',
    ],
    // A trial has values of its own for these; the server looks at the user's all the same.
    [
      "a locale that the host does not have",
      { lc_messages: "xx_XX.UTF-8" },
      'db1: expected PostgreSQL to start with what pgherd:cluster.postgresql says, it does not: invalid value for parameter "lc_messages": "xx_XX.UTF-8". ',
    ],
    [
      "a place that no log goes to",
      { log_destination: "nowhere" },
      'db1: expected PostgreSQL to start with what pgherd:cluster.postgresql says, it does not: invalid value for parameter "log_destination": "nowhere"; Unrecognized key word: "nowhere". ',
    ],
    [
      "libraries of sessions that are there",
      { session_preload_libraries: "auto_explain" },
      undefined,
    ],
  ])("the server itself is asked about %s", (_name, settings, told) => {
  const trial = { ...TRIAL, version: VERSION ?? 0, settings, hba: [] };
  const { script, parse } = trialProbe({ ...trial, dataDirectory: "/nowhere" });
  const ran = spawnSync("sh", ["-eu"], { input: script, encoding: "utf8" });
  expect(ran.stderr).toBe("");
  expect(described("db1", trial, parse(ran.stdout), WORDS)).toEqual(
    told === undefined ? [] : [`${told}${WORDS.next}`],
  );
});

test.runIf(VERSION !== undefined && process.getuid?.() === 0)(
  "mistakes of several kinds are told at once",
  () => {
    const settings = {
      timezone: "Mars/Phobos",
      lc_messages: "xx_XX",
      shared_preload_libraries: "nosuch",
      logging_collector: "on",
      log_directory: "/nowhere/log",
    };
    const hba = ["host a b 10.0.0.0/8 ldap ldapserver=x ldapport=abc"];
    const trial: TrialInput = {
      ...{ version: VERSION ?? 0, dataDirectory: "/nonexistent", extensions: [] },
      ...{ settings, hba },
    };
    const said = (tried: TrialInput) => {
      const { script, parse } = trialProbe(tried);
      return parse(spawnSync("sh", ["-eu"], { input: script, encoding: "utf8" }).stdout);
    };
    const all = said(trial).join("\n");
    for (const one of [
      "TimeZone",
      "lc_messages",
      "log_directory",
      'could not access file "nosuch"',
      "LDAP port",
    ])
      expect(all).toContain(one);
    expect(all).not.toContain("PID file");
    expect(said({ ...trial, settings: { work_mem: "4MB" }, hba: [] })).toEqual([]);
  },
  60_000,
);

test.runIf(VERSION !== undefined && process.getuid?.() === 0)(
  "extensions are created where they are wanted, and what the server refuses is told by name",
  () => {
    const trial = {
      ...{ ...TRIAL, version: VERSION ?? 0, hba: [], dataDirectory: "/nowhere" },
      // What the files say of sessions is no hindrance.
      settings: { search_path: "nowhere", default_transaction_read_only: "on" },
      extensions: ["cube", "earthdistance", "nosuch"],
      databases: { shop: ["earthdistance"], "my db": ["cube", "earthdistance", "nosuch"] },
    };
    const tried = (changes: Partial<TrialInput>) => {
      const { script, parse } = trialProbe({ ...trial, ...changes });
      const ran = spawnSync("sh", ["-eu"], { input: script, encoding: "utf8" });
      expect(ran.stderr).toBe("");
      return parse(ran.stdout);
    };
    expect(tried({})).toEqual([
      'no extension earthdistance in shop: required extension "cube" is not installed',
    ]);
  },
);

test("an extension that cannot be created is told, one that was there only where its library is not loaded", () => {
  const cron =
    "no extension pg_cron in app: pg_cron can only be loaded via shared_preload_libraries";
  const earth = 'no extension earthdistance in app: required extension "cube" is not installed';
  expect(describeExtensions("db1", [cron, earth], [])).toEqual([
    "db1: expected PostgreSQL to create the extension pg_cron in the database app, it refuses: pg_cron can only be loaded via shared_preload_libraries. " +
      "Add its library to pgherd:cluster.postgresql.parameters.shared_preload_libraries, or take it out of databases.",
    'db1: expected PostgreSQL to create the extension earthdistance in the database app, it refuses: required extension "cube" is not installed. ' +
      "Mend pgherd:cluster.postgresql.databases, or what the host lacks.",
  ]);
  expect(describeExtensions("db1", [cron, earth], ["pg_cron", "earthdistance"])).toHaveLength(1);
  // A server of its own settings, which are not known here.
  const { script } = trialProbe({ ...TRIAL, dataComes: true, databases: { app: ["pg_cron"] } });
  expect(script).not.toContain("CREATE EXTENSION");
});

test("only what is the user's own is tried", () => {
  const raw = rawStack("lab");
  const cluster = raw.cluster as { readonly postgresql?: object };
  const trialOf = (postgresql: object, sysctl: object = {}) =>
    planPreflight(
      parseSettings({
        ...raw,
        cluster: {
          ...cluster,
          postgresql: { ...cluster.postgresql, ...postgresql },
          system: { sysctl },
        },
      }),
    ).trial;
  expect(trialOf({ parameters: {}, pgHba: [] })).toBeUndefined();
  expect(
    trialOf({ parameters: { SSL: true }, pgHba: ["local b all reject"], pgHbaFirst: ["# first"] }),
  ).toEqual({
    version: 17,
    dataDirectory: "/var/lib/postgresql/17/main",
    settings: { ssl: "on" },
    hba: ["# first", "local b all reject"],
    extensions: [],
  });
  const paged = { parameters: { huge_pages: "on" } };
  expect(trialOf(paged, { "vm.nr_hugepages": 512 })?.hugePagesCome).toBe(true);
  expect(trialOf(paged, { "vm.swappiness": 1 })?.hugePagesCome).toBeUndefined();
});

test("a library that a package to come may bring is no reason to refuse", () => {
  const of = (said: string) => withoutAbsentFiles(described("db1", TRIAL, [said], WORDS));
  expect(of('could not access file "pg_cron": No such file or directory')).toEqual([]);
  expect(of('no session: could not access file "x": No such file or directory')).toEqual([]);
  expect(of('invalid value for parameter "lc_messages": "xx"')).toHaveLength(1);
  const absent = 'could not access file "pg_cron": No such file or directory';
  const both = [
    'invalid value for parameter "TimeZone": "x"',
    absent,
    "could not load pg_hba.conf",
  ];
  for (const said of [both, both.toReversed(), both.slice(0, 2)]) {
    const told = withoutAbsentFiles(described("db1", TRIAL, said, WORDS));
    expect(told).toEqual(
      described(
        "db1",
        TRIAL,
        said.filter((one) => one !== absent),
        WORDS,
      ),
    );
  }
});

test("an extension that a host does not have is told before anything is changed", () => {
  const packages = ["postgresql-17", "postgresql-17-cron"];
  const member = { host: "db1", requirement: { packages } as unknown as FoundHost["requirement"] };
  const all = { "postgresql-17": "17.5", "postgresql-17-cron": "1.6" };
  expect(withoutExtensions({ ...member, installed: all }, ["nosuch"])).toEqual([
    "db1: expected the extensions of pgherd:cluster.postgresql.databases on the host, there is no nosuch. " +
      "Put the package that has it into postgresql.packages, or mend the name.",
  ]);
  expect(withoutExtensions({ ...member, installed: all }, [])).toEqual([]);
  // The one that is still to come may have it.
  expect(withoutExtensions({ ...member, installed: { "postgresql-17": "17.5" } }, ["x"])).toEqual(
    [],
  );
});
