import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ARCHIVING_FAILS, stopServer } from "../../../src/migration/operations/stop-server";

/** Of the machine that tests. */
const VERSION = [18, 17, 16, 15, 14, 13].find((one) =>
  existsSync(`/usr/lib/postgresql/${one}/bin/initdb`),
);
const BIN = `/usr/lib/postgresql/${VERSION}/bin`;
const CONTROL = `${BIN}/pg_ctl`;

describe.runIf(VERSION !== undefined && process.getuid?.() === 0)(
  "a rollback's end of a server",
  () => {
    const folder = mkdtempSync("/tmp/pgherd-stop-");
    const data = join(folder, "data");
    const asPostgres = (...command: string[]) =>
      execFileSync("runuser", ["-u", "postgres", "--", ...command], {
        cwd: "/",
        encoding: "utf8",
        stdio: ["ignore", "pipe", "ignore"],
      }).trim();
    const sql = (text: string) =>
      asPostgres(`${BIN}/psql`, "-XAtq", "-h", folder, "-d", "postgres", "-c", text);
    const start = (command: string) => {
      const options = `-c listen_addresses= -c unix_socket_directories=${folder} -c archive_mode=on -c fsync=off -c "archive_command=${command}"`;
      asPostgres(
        CONTROL,
        "-D",
        data,
        "-s",
        "-w",
        "-l",
        join(folder, "log"),
        "-o",
        options,
        "start",
      );
    };
    const leaveOne = () =>
      sql("create table if not exists t (); drop table t; select pg_switch_wal()");
    const stop = (failing: string) => {
      const begun = Date.now();
      const input = `failing=${failing}\n${stopServer(CONTROL, data)}`;
      const ran = spawnSync("sh", ["-eu"], { cwd: "/", input, encoding: "utf8" });
      expect(ran).toMatchObject({ status: 0, stderr: "" });
      expect(existsSync(join(data, "postmaster.pid"))).toBe(false);
      return (Date.now() - begun) / 1000;
    };

    beforeAll(() => {
      spawnSync("chown", ["postgres", folder]);
      asPostgres(`${BIN}/initdb`, "-D", data, "-A", "trust", "-N");
    }, 120_000);
    afterAll(() => {
      spawnSync("runuser", [
        "-u",
        "postgres",
        "--",
        CONTROL,
        "-D",
        data,
        "-m",
        "immediate",
        "stop",
      ]);
      rmSync(folder, { recursive: true });
    });

    test("takes no more than ten seconds while archiving fails", { timeout: 120_000 }, async () => {
      start("sleep 0.1; false");
      leaveOne();
      await expect
        .poll(() => sql("select failed_count > 0 from pg_stat_archiver"), { timeout: 60_000 })
        .toBe("t");
      const failing = sql(ARCHIVING_FAILS);
      expect(failing).toBe("t");
      expect(stop(failing)).toBeLessThan(10);
    });

    test("takes no more than ten seconds while archiving hangs", { timeout: 120_000 }, async () => {
      const hanging = `sleep 1000${process.pid}`;
      start(`${hanging}; false`);
      leaveOne();
      // What was copied a moment ago is no sign yet.
      expect(sql(`select pg_stat_reset_shared('archiver')`)).toBe("");
      const waiting = join(data, "pg_wal/archive_status/*.ready");
      await expect
        .poll(() => spawnSync("sh", ["-c", `ls ${waiting}`]).status, { timeout: 60_000 })
        .toBe(0);
      spawnSync("sh", ["-c", `touch ${waiting}`]);
      expect(sql(ARCHIVING_FAILS)).toBe("f");
      spawnSync("sh", ["-c", `touch -d '2 minutes ago' ${waiting}`]);
      const failing = sql(ARCHIVING_FAILS);
      expect(failing).toBe("t");
      expect(stop(failing)).toBeLessThan(10);
      // Nor does anything of it go on.
      expect(spawnSync("pgrep", ["-x", "-f", hanging]).status).toBe(1);
    });

    test("waits for an archiver that works", { timeout: 120_000 }, async () => {
      start("sleep 1");
      await expect
        .poll(() => sql("select archived_count > 0 from pg_stat_archiver"), { timeout: 60_000 })
        .toBe("t");
      leaveOne();
      expect(sql(ARCHIVING_FAILS)).toBe("f");
      stop("f");
      const left = spawnSync("sh", ["-c", `ls ${data}/pg_wal/archive_status/*.ready`]);
      expect(left.status).not.toBe(0);
    });
  },
);
