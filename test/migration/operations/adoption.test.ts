import { execFileSync, spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { changedFilesProbe } from "../../../src/migration/facts/included-files";
import { ORIGINAL } from "../../../src/migration/facts/source";
import {
  keepOriginal,
  leaveCluster,
  restoreOriginal,
} from "../../../src/migration/operations/adoption";
import { setAsideCopy } from "../../../src/migration/operations/left-copy";
import type { Source } from "../../../src/migration/inputs/source";
import { SOURCE } from "../../source";
import { asRoot, give, ground, LESSER, rights } from "../../users";

/** A server of a lesser user's, who stands for postgres, on a host with no systemd. */
function server() {
  const { root, lesser } = ground();
  const kept = join(root, "migration");
  const [config, data] = [join(lesser, "config"), join(lesser, "data")];
  for (const path of [config, data, join(config, "conf.d")]) mkdirSync(path);
  const theirs = (path: string, content: string) => {
    writeFileSync(path, content);
    give(path);
  };
  theirs(join(config, "postgresql.conf"), "old\n");
  theirs(join(config, "pg_hba.conf"), "old rules\n");
  theirs(join(config, "conf.d", "more"), "more\n");
  for (const path of [config, data, join(config, "conf.d")]) give(path);
  const bin = join(root, "bin");
  mkdirSync(bin);
  writeFileSync(join(bin, "systemctl"), '#!/bin/sh\n[ "$1 $2" != "-q is-active" ]\n', {
    mode: 0o755,
  });
  const source = {
    configDirectory: config,
    dataDirectory: data,
    hbaFile: join(config, "pg_hba.conf"),
    identFile: "/etc/shadow",
    unit: "",
    systemIdentifier: "7713",
    enabled: [],
  } as unknown as Source;
  const run = (script: string) =>
    spawnSync("/bin/sh", {
      input: `set -eu\n${script.replaceAll("-u postgres", `-u ${LESSER}`).replaceAll("owning postgres", `owning ${LESSER}`).replaceAll(ORIGINAL, kept)}`,
      encoding: "utf8",
      env: { PATH: `${bin}:${process.env.PATH}` },
    });
  return { root, lesser, kept, config, data, source, run, theirs };
}

test("a rollback drops the roles that the cluster has made, and nobody else's", () => {
  const all = ["postgres", "replicator", "rewinder", "barman", "streaming_barman"];
  const dropped = (found: Partial<Source>) =>
    [
      ...leaveCluster({ ...SOURCE, ...found }, "postgres", all, []).matchAll(
        /DROP ROLE %I', rolname\) FROM pg_roles WHERE rolname = '(\w+)'/g,
      ),
    ].map(([, name]) => name);
  expect(dropped({ backupRoles: [] })).toEqual(all.slice(1));
  expect(dropped({ backupRoles: ["barman"] })).toEqual([
    ...["replicator", "rewinder", "streaming_barman"],
  ]);
  // An earlier version has not asked whose they are.
  expect(dropped({ backupRoles: undefined })).toEqual(["replicator", "rewinder"]);
});

describe.runIf(asRoot)("a server that is migrated", () => {
  test("has the files of its configuration back as they were", () => {
    const { config, source, run, theirs, kept } = server();
    expect(run(keepOriginal(source))).toMatchObject({ status: 0, stderr: "" });
    expect(rights(kept)).toBe("root 700");
    theirs(join(config, "postgresql.conf"), "Patroni's\n");
    theirs(join(config, "postgresql.base.conf"), "Patroni's\n");
    rmSync(join(config, "conf.d"), { recursive: true });
    expect(run(restoreOriginal(source))).toMatchObject({ status: 0, stderr: "" });
    expect(readdirSync(config).sort()).toEqual(["conf.d", "pg_hba.conf", "postgresql.conf"]);
    expect(readFileSync(join(config, "postgresql.conf"), "utf8")).toBe("old\n");
    expect(readFileSync(join(config, "conf.d", "more"), "utf8")).toBe("more\n");
    expect(rights(join(config, "postgresql.conf"))).toBe("daemon 644");
  });

  test("has what it includes back from its own directory, and is told what has changed elsewhere", () => {
    const { root, config, source, run, theirs, kept } = server();
    const shared = join(root, "shared");
    for (const path of [join(config, "extra"), shared]) mkdirSync(path);
    give(join(config, "extra"));
    const disks = join(config, "extra", "disks");
    const [tuning, more] = [join(shared, "tuning"), join(shared, "more")];
    theirs(disks, "disks\n");
    for (const path of [tuning, more]) writeFileSync(path, "shared\n");
    symlinkSync(tuning, join(config, "link.conf"));
    const files = [disks, tuning, more, join(config, "link.conf"), join(root, "never")];
    expect(run(keepOriginal({ ...source, files }))).toMatchObject({ status: 0, stderr: "" });
    const look = () => {
      const { status, stdout, stderr } = run(changedFilesProbe.script);
      expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
      return changedFilesProbe.parse(stdout);
    };
    expect(look()).toEqual({ changed: [], gone: [] });
    theirs(disks, "other\n");
    writeFileSync(tuning, "other\n");
    rmSync(more);
    expect(look()).toEqual({ changed: [tuning], gone: [more] });
    expect(run(restoreOriginal(source))).toMatchObject({ status: 0, stderr: "" });
    expect(readFileSync(disks, "utf8")).toBe("disks\n");
    expect(readFileSync(tuning, "utf8")).toBe("other\n");
    expect(existsSync(more)).toBe(false);
    execFileSync("tar", ["-C", "/", "-xpf", join(kept, "included.tar"), more.slice(1)]);
    expect(readFileSync(more, "utf8")).toBe("shared\n");
    expect(look()).toEqual({ changed: [tuning], gone: [] });
  });

  test("that reads nothing from elsewhere has changed nowhere", () => {
    const { source, run } = server();
    expect(run(keepOriginal(source)).status).toBe(0);
    expect(run(changedFilesProbe.script)).toMatchObject({ status: 0, stdout: "", stderr: "" });
  });

  test("has what an earlier version has kept back too", () => {
    const { config, source, run, kept } = server();
    expect(run(keepOriginal(source)).status).toBe(0);
    execFileSync("mv", [join(kept, "postgres.tar"), join(kept, "files.tar")]);
    rmSync(join(config, "postgresql.conf"));
    expect(run(restoreOriginal(source))).toMatchObject({ status: 0, stderr: "" });
    expect(readFileSync(join(config, "postgresql.conf"), "utf8")).toBe("old\n");
  });

  test("leads root to nothing of its own by its links, when its files are kept and put back", () => {
    const { root, config, source, run, kept } = server();
    mkdirSync(join(root, "precious"));
    writeFileSync(join(root, "precious", "more"), "precious\n", { mode: 0o600 });
    symlinkSync(join(root, "precious", "more"), join(config, "secret.conf"));
    expect(run(keepOriginal(source))).toMatchObject({ status: 0, stderr: "" });
    const archive = execFileSync("sh", ["-c", `cat ${kept}/*.tar`], { encoding: "latin1" });
    expect(archive).not.toContain("precious\n");
    expect(archive).not.toContain("root:");
    execFileSync("rm", ["-rf", join(config, "conf.d")]);
    symlinkSync(join(root, "precious"), join(config, "conf.d"));
    run(restoreOriginal(source));
    expect(readdirSync(join(root, "precious"))).toEqual(["more"]);
    expect(readFileSync(join(root, "precious", "more"), "utf8")).toBe("precious\n");
    expect(rights(join(root, "precious", "more"))).toBe("root 600");
  });

  test("has its copy set aside by its own user, and nothing of root's", () => {
    const { root, lesser, data, source, run } = server();
    writeFileSync(join(data, "PG_VERSION"), "17\n");
    expect(run(setAsideCopy(data, source))).toMatchObject({ status: 0, stderr: "" });
    expect(existsSync(data)).toBe(false);
    mkdirSync(join(root, "precious", "data"), { recursive: true });
    writeFileSync(join(root, "precious", "data", "file"), "");
    chmodSync(join(root, "precious"), 0o755);
    symlinkSync(join(root, "precious"), join(lesser, "link"));
    expect(run(setAsideCopy(join(lesser, "link", "data"), source)).status).not.toBe(0);
    expect(readdirSync(join(root, "precious"))).toEqual(["data"]);
  });
});
