import { expect, test } from "vitest";
import type { Probe } from "../../src/host/host";
import type { Context } from "../../src/provider/context";
import { judgeBootstrap } from "../../src/provider/preflight-backup";
import type { FoundHost } from "../../src/provider/found-host";
import type { BootstrapInput } from "../../src/resources/inputs/preflight";

const WISH: BootstrapInput = {
  host: "backup1",
  home: "/var/lib/barman/orders",
  binDirectory: "/usr/lib/postgresql/17/bin",
  version: 17,
  target: { time: "2026-11-21 14:30:00+01" },
  time: Date.parse("2026-11-21T13:30:00Z") / 1000,
};

/** What Barman has, as the backup host tells it; a recovery needs its WAL and no timeline's history. */
const CATALOG = `backup 20261121T020001
status=DONE
begin_time=2026-11-21 02:00:01+00:00
end_time=2026-11-21 02:00:09+00:00
timeline=1
begin_xlog=0/4000028
end_xlog=0/4000158
version=170006
size=8000000000
tablespaces=None
receiving=000000010000000000000006 ${Date.parse("2026-11-21T20:00:00Z") / 1000}
now=${Date.parse("2026-11-21T20:00:05Z") / 1000}
`;
const WAL = "000000010000000000000004 1\n000000010000000000000005 2\n";

function judge(wish: Partial<BootstrapInput>, free = 2 ** 40, found = false, catalog = CATALOG) {
  const observe = <T>({ script, parse }: Probe<T>) =>
    Promise.resolve(
      parse(script.includes("backup.info") ? catalog : script.includes("%f") ? WAL : ""),
    );
  const context = { host: () => ({ observe }) } as unknown as Context;
  const member = {
    host: "copy1",
    requirement: { dataDirectory: "/var/lib/postgresql/17/main" },
    facts: { data: { found }, disk: { free } },
  } as unknown as FoundHost;
  return judgeBootstrap(context, { ...WISH, ...wish }, [member]);
}

test("a backup and WAL that reach the target are enough to begin with", async () => {
  expect(await judge({})).toEqual([]);
});

test.each([
  [
    "a moment before the first backup",
    judge({ time: 0 }),
    "pgherd:cluster.postgresql.bootstrap.target.time: expected a time that backups and WAL cover, 2026-11-21 02:00:09Z to 2026-11-21 20:00:00Z, got 1970-01-01 00:00:00Z.",
  ],
  [
    "a folder without backups",
    judge({}, 2 ** 40, false, "now=5\n"),
    "backup1: expected a complete backup in /var/lib/barman/orders, found none.",
  ],
  [
    "a backup that is not there",
    judge({ backup: "20250101T000000" }),
    'expected a complete backup from before the last commit before 2026-11-21 14:30:00+01, got "20250101T000000"',
  ],
  [
    "another version of PostgreSQL",
    judge({ version: 16 }),
    "pgherd:cluster.postgresql.version: expected 17, as backup 20261121T020001 on backup1 is of, got 16. Set it to 17.",
  ],
  [
    "too little room",
    judge({}, 2 ** 30),
    "copy1: expected 8.2 GB of free space for backup 20261121T020001, found 1 GB.",
  ],
])("%s is told before anything is changed", async (_what, reasons, expected) => {
  expect((await reasons).join("\n")).toContain(expected);
});

test("a cluster that has begun needs the backup no more", async () => {
  expect(await judge({ backup: "20250101T000000" }, 0, true)).toEqual([]);
});

test("a backup with tablespaces needs a place for each on every member", async () => {
  const catalog = CATALOG.replace(
    "tablespaces=None",
    "tablespaces=[('figures', 16385, '/srv/figures')]",
  );
  const judged = (place: string) => {
    const observe = <T>({ script, parse }: Probe<T>) =>
      Promise.resolve(
        parse(
          script.includes("ast.literal_eval")
            ? '[{"name":"figures","location":"/srv/figures","size":1000000}]'
            : script.includes("realpath")
              ? place
              : script.includes("backup.info")
                ? catalog
                : script.includes("%f")
                  ? WAL
                  : "",
        ),
      );
    const context = { host: () => ({ observe }) } as unknown as Context;
    const member = {
      host: "copy1",
      requirement: { dataDirectory: "/var/lib/postgresql/17/main" },
      facts: { data: { found: false }, disk: { free: 2 ** 40 } },
    } as unknown as FoundHost;
    return judgeBootstrap(context, WISH, [member]);
  };
  const there = "path /srv/figures\nroom 1000000000 /\nowner postgres\n";
  expect(await judged(there)).toEqual([]);
  for (const place of ["path /srv/figures\nroom 1000000000 /\n", `${there}holds PG_17_1\n`])
    expect(await judged(place)).toEqual([
      expect.stringMatching(
        /^copy1: expected an empty directory of the user postgres for tablespace figures in \/srv\/figures.*install -d/,
      ),
    ]);
  expect((await judged(there.replace("1000000000", "1000"))).join()).toContain("of free space");
});
