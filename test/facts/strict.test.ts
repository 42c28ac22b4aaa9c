import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { keptSourceProbe, serverUnitProbe } from "../../src/migration/facts/adoption";
import { changedFilesProbe } from "../../src/migration/facts/included-files";
import { catalogOfBackupsProbe } from "../../src/facts/barman";
import { dcsAt } from "../../src/dcs/dcs";
import { directoriesProbe, filesProbe } from "../../src/facts/files";
import { forkPasswordProbe, forksProbe, listeningProbe } from "../../src/facts/forks";
import { entrancesProbe } from "../../src/facts/haproxy";
import { hostProbe } from "../../src/facts/host";
import { kernelProbe } from "../../src/facts/kernel";
import { userLoginsProbe } from "../../src/facts/logins";
import { apt } from "../../src/distributions/apt";
import { clusterViewProbe } from "../../src/facts/patroni";
import { reachProbe } from "../../src/facts/reach";
import { streamsProbe } from "../../src/facts/replication";
import { sourceProbe } from "../../src/migration/facts/source";
import { copiesProbe, reachesProbe } from "../../src/migration/facts/standby";
import { maskedProbe } from "../../src/facts/systemd";
import type { Probe } from "../../src/host/host";
import { strict } from "../../src/host/shell";
import { restoreProgressProbe, roomProbe } from "../../src/operations/restore";
import { attemptProbe } from "../../src/operations/restore-data";
import { timelinesProbe } from "../../src/operations/timelines";
import { walProbe } from "../../src/operations/wal";

// Questions end at the first command that fails. What is not there must not be such a failure.

const folder = mkdtempSync(join(tmpdir(), "pgherd-strict-"));
const none = join(folder, "none");
/** A backup that Barman has only begun, and a fork that is not complete. */
const barman = join(folder, "demo");
mkdirSync(join(barman, "base/20261121T020000"), { recursive: true });
writeFileSync(join(barman, "base/20261121T020000/backup.info"), "");
mkdirSync(join(folder, "forks/half"), { recursive: true });

const NOBODY = "127.0.0.1:1";
const NO_DCS = dcsAt({ endpoints: [`http://${NOBODY}`] });

const QUESTIONS: readonly [string, Probe<unknown>][] = [
  [
    "a host",
    hostProbe({
      dataDirectory: none,
      backupDirectory: none,
      dcs: { directory: none, user: "root" },
    }),
  ],
  ["a host whose virtual IP nobody holds", hostProbe({ vips: ["127.255.0.1"] })],
  ["its packages", apt.installedProbe(["no-such-package"])],
  ["packages that are all there", apt.candidatesProbe(["dpkg"])],
  ["older packages", apt.olderProbe({ "no-such-package": "1" })],
  ["its kernel", kernelProbe(["vm.swappiness", "no.such"])],
  ["who listens", listeningProbe],
  ["a user's logins", userLoginsProbe("no-such-user")],
  ["endpoints", reachProbe([{ address: "127.0.0.1", port: 1 }])],
  ["another host's door", reachesProbe("127.0.0.1", 1)],
  ["files", filesProbe([none])],
  ["directories", directoriesProbe([none])],
  ["masked units", maskedProbe(["no-such.service"])],
  ["etcd's member", NO_DCS.memberProbe(`http://${NOBODY}`)],
  ["etcd's members", NO_DCS.healthyProbe()],
  ["etcd's data", NO_DCS.hasDataProbe(none)],
  ["Patroni", clusterViewProbe(NOBODY)],
  ["streams", streamsProbe(1)],
  ["copies", copiesProbe(1)],
  ["HAProxy", entrancesProbe(1)],
  ["a server that was adopted", keptSourceProbe],
  ["what a server reads from elsewhere", changedFilesProbe],
  ["the unit of a server that does not run", serverUnitProbe(none)],
  ["forks", forksProbe("db1", join(folder, "forks"))],
  ["a fork's password", forkPasswordProbe(none)],
  ["backups", catalogOfBackupsProbe(barman, none)],
  ["timelines", timelinesProbe(barman)],
  ["WAL", walProbe(barman, "000000010000000000000001")],
  ["room", roomProbe(join(folder, "main"))],
  ["a restore", restoreProgressProbe(none, 0)],
  ["what a restore has left", attemptProbe(none, "before-restore-20261121T143000Z")],
];

test.each(QUESTIONS)("a question about %s is answered where there is nothing", (_what, probe) => {
  const asked = spawnSync("/bin/sh", { input: strict(probe.script), encoding: "utf8" });
  expect(asked.stderr).not.toMatch(/parameter not set|unbound/);
  expect(asked.status, asked.stderr).toBe(0);
  probe.parse(asked.stdout);
});

test("a question about a server that does not run says so", () => {
  const { script, parse } = sourceProbe(1, "postgres");
  const asked = spawnSync("/bin/sh", { input: strict(script), encoding: "utf8" });
  expect(() => parse(asked.stdout)).toThrow("expected PostgreSQL to run on port 1");
});
