import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { packageRoot } from "../../src/package-root";

// What root runs on hosts. Root reads, writes and runs nothing that a lesser user can write or exchange: it goes below a
// directory of another user as that user only (src/host/ownership.ts, asUser, src/operations/{files,directories}.ts).

const FOLDERS = [
  ...["cluster", "dcs", "distributions", "facts", "host"],
  ...["migration", "operations", "provider", "roles"],
].map((folder) => `src/${folder}`);

/** Scripts that stand on hosts and that root runs there. Barman's, and those that Patroni calls, run as their users. */
const OF_ROOT = [
  "templates/patroni/before-start.sh.hbs",
  "templates/patroni/data-place.sh.hbs",
  "templates/fork/keeper.sh.hbs",
];

/** Commands that change what lies at a path, links followed or not. */
const CHANGING =
  /(^|[\s;&|({`"'])(chown|chmod|install|mv|cp|rm -\S*r\S*|rmdir|ln|sed -i|tar|touch|tee|truncate|mkdir)\s+(-|\$|"|'|\/|\{)/;

/** Where such commands stand, and why what they do is no lesser user's to lead astray. */
const ALLOWED: { readonly [file: string]: string } = {
  "src/distributions/apt.ts": "/run/pgherd and /usr/sbin/policy-rc.d, which are root's",
  "src/host/lock.ts": "/run/pgherd, which is root's",
  "src/migration/operations/adoption.ts":
    "/var/lib/pgherd/migration and /etc/systemd, which are root's; the rest as postgres",
  "src/provider/existing-dcs.ts": "a folder of its own in /run, which is root's",
  "src/operations/departure.ts": "/etc/patroni/pgherd, which is root's",
  "src/operations/directories.ts": "the mechanism: each by asOwner",
  "src/operations/files.ts": "the mechanism: each by asOwner, or in directories of root's",
  "src/operations/firewall.ts": "/var/lib/pgherd and /run/pgherd, which are root's",
  "src/operations/fork-scripts.ts": "all by asUser(postgres)",
  "src/operations/haproxy.ts": "/run/pgherd, which is root's",
  "src/operations/own-timeline.ts": "all by asOwner(postgres)",
  "src/operations/restore-data.ts": "by src/operations/directories.ts, or in directories of root's",
  "src/operations/restore.ts": "a folder of mktemp's; /etc/patroni/pgherd, which is root's",
  "src/operations/restore-tablespaces.ts": "by src/operations/directories.ts, or by asOwner",
  "src/migration/operations/included-files.ts": "by asUser(postgres)",
  "src/migration/operations/left-copy.ts": "by asOwner(postgres), or advice to a person",
  "src/migration/operations/standby.ts": "/var/lib/pgherd/migration, which is root's",
  "src/operations/timelines.ts": "a folder of mktemp's; all by asOwner(barman)",
  "src/operations/true-history.ts": "all by asOwner(postgres)",
  "src/operations/units.ts": "/run/pgherd and /etc/systemd, which are root's",
  "src/migration/facts/source.ts": "advice to a person",
  "src/facts/trial.ts": "a folder of mktemp's, by asUser(postgres)",
  "src/migration/provider/rollback.ts": "advice to a person",
  "src/migration/provider/survey-rules.ts": "advice to a person",
  "templates/fork/keeper.sh.hbs": "as postgres, or in directories of root's",
  "templates/patroni/data-place.sh.hbs": "/var/lib/pgherd, which is root's",
  "templates/patroni/before-start.sh.hbs": "by owning, or /var/lib/pgherd, which is root's",
};

/** Lines of a file without those that are comments. */
function code(file: string): string[] {
  return readFileSync(`${packageRoot()}/${file}`, "utf8")
    .split("\n")
    .map((line) => (isComment(line) ? "" : line));
}

function isComment(line: string): boolean {
  return /^\s*(\/\/|\/?\*|#)/.test(line);
}

const files = FOLDERS.flatMap((folder) =>
  readdirSync(`${packageRoot()}/${folder}`, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => `${folder}/${name}`),
)
  .concat(OF_ROOT)
  .sort();

test("root's scripts change what lies at a path only where it is known whose that is", () => {
  const found = files.filter((file) => code(file).some((line) => CHANGING.test(line)));
  expect(found.filter((file) => !(file in ALLOWED))).toEqual([]);
  expect(Object.keys(ALLOWED).filter((file) => !found.includes(file))).toEqual([]);
});

test("nothing below the directories of postgres, barman and etcd is named by root itself", () => {
  const theirs =
    /(cat|head|tail|grep|sed|ls|test|rm|mv|find|du|tar|>)\s[^|]*(\/var\/lib\/(postgresql|barman|etcd)|~(postgres|barman))\b/;
  const found = files.flatMap((file) =>
    code(file)
      .filter((line) => theirs.test(line) && !/runuser|asUser|asOwner|owning/.test(line))
      .map((line) => `${file}: ${line.trim()}`),
  );
  expect(found).toEqual([]);
});

/** An error that nobody hears of: the reason stands on the line, or on the one before. */
const SILENCED = /\|\| (:|true)(?![-\w])|2>\/dev\/null/;

test("an error is silenced with the reason beside it", () => {
  const unexplained = files.flatMap((file) => {
    const lines = readFileSync(`${packageRoot()}/${file}`, "utf8").split("\n");
    return lines
      .filter(
        (line, i) =>
          SILENCED.test(line) &&
          !isComment(line) &&
          !isComment(lines[i - 1] ?? "") &&
          !/\s(\/\/|#) /.test(line),
      )
      .map((line) => `${file}: ${line.trim()}`);
  });
  expect(unexplained).toEqual([]);
});
