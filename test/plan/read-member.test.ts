import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { render } from "../../src/plan/template";

// What the backup host may ask for on a database host, with the real script and a data directory such as PostgreSQL
// makes. In place of rsync a script prints what it would run with.

const folder = mkdtempSync(join(tmpdir(), "pgherd-window-"));
const data = join(folder, "main data");
const fast = join(folder, "fast disk");
const secret = join(folder, "20-secrets.yml");
const window = join(folder, "window");
const bin = join(folder, "bin");

for (const one of [`${data}/global`, `${data}/pg_tblspc`, `${data}/pg_wal`, fast, bin]) {
  mkdirSync(one, { recursive: true });
}
writeFileSync(join(data, "global/pg_control"), "");
writeFileSync(secret, "password: secret");
symlinkSync(fast, join(data, "pg_tblspc/16400"));
const member = join(folder, "10-member.yml");
writeFileSync(member, `postgresql:\n  data_dir: ${JSON.stringify(data)}\n`);
writeFileSync(window, render("barman/read-member.sh", { patroni: member }));
const RSYNC = `#!/bin/bash
if [ "$1" = --help ]; then echo "--confine-root=DIR"; exit; fi
printf '%s\\n' "$@"
echo "then $(cat)"
`;
writeFileSync(join(bin, "rsync"), RSYNC, { mode: 0o755 });

/** What Barman 3.4 and 3.13 ask for, with rsync 3.2 and 3.5. */
const ASKED = "rsync --server --sender -sLtprRe.iLsfxCIvu";

function ask(command: string, ...words: string[]) {
  const env = { ...process.env, PATH: `${bin}:${process.env.PATH}`, SSH_ORIGINAL_COMMAND: command };
  const input = [...words, "", "its own stream"].join("\0");
  const { status, stdout, stderr } = spawnSync("bash", [window], { env, input, encoding: "utf8" });
  return { status, said: (status === 0 ? stdout : stderr).trim() };
}

const refused = (said: string) => ({ status: 64, said: `pgherd: ${said}` });

const ran = (...words: string[]) => ({
  status: 0,
  said: ["--server", "--sender", ...words, "then its own stream"].join("\n"),
});

test("Barman may see whether the way is open", () => {
  expect(ask("true")).toEqual({ status: 0, said: "" });
});

const NEEDED = ["--ignore-missing-args", "--inplace"];

test.each([
  [["--list-only", ...NEEDED], "sLtpre.iLsfxCIvu", `${data}/`],
  [[...NEEDED, "--files-from=-", "--from0"], "sLtprRe.iLsfxCIvu", `${data}/`],
  [["--bwlimit=100", ...NEEDED, "--files-from=-", "--from0"], "sLtprcRe.LsfxC", `${data}/`],
  [NEEDED, "sLtpre.iLsfxCIvu", `${data}/global/pg_control`],
])("what Barman asks of the data directory is run: %j", (options, short, path) => {
  // In front of the command rsync leaves a blank where no host is named.
  expect(ask(` rsync --server --sender -${short}`, "rsync", ...options, ".", path)).toEqual(
    ran(`-${short.slice(1)}`, ...options, `--confine-root=${data}`, ".", path),
  );
});

test("a tablespace is read from where the data directory points to", () => {
  expect(ask(ASKED, "rsync", ".", `${fast}/`)).toEqual(
    ran("-LtprRe.iLsfxCIvu", `--confine-root=${fast}`, ".", `${fast}/`),
  );
});

test.each([
  "--remove-source-files",
  "--remove-sent-files",
  "--log-file=/tmp/x",
  "--files-from=/etc/patroni/pgherd/20-secrets.yml",
  "--bwlimit=1 --remove-source-files",
  "--exclude-from=/etc/passwd",
  "--filter=merge /etc/passwd",
  "--write-batch=/tmp/x",
  "--copy-unsafe-links",
  "--confine-root=/",
  "--insecure-links",
  "--rsh=sh",
  "-e",
  "--server",
  "--daemon",
  "--config=/tmp/x",
])("rsync's option %s does not get through", (option) => {
  expect(ask(ASKED, "rsync", option, ".", `${data}/`)).toEqual(
    refused(`this key is for reading only: ${option} is not allowed`),
  );
});

describe("nothing but the data directory is read", () => {
  afterEach(() => {
    for (const link of ["base link", "pg_tblspc/x"]) rmSync(join(data, link), { force: true });
  });

  test.each([
    secret,
    `${data}/../20-secrets.yml`,
    `${data}x/`,
    "/etc/postgresql/17/main/../../../shadow",
    "/etc/postgresql/17/main/environment",
  ])("not %s", (path) => {
    expect(ask(ASKED, "rsync", ".", path)).toEqual(refused(`${path} is not in the data directory`));
  });

  test("not a second source beside it", () => {
    expect(ask(ASKED, "rsync", ".", secret, `${data}/`).said).toBe("pgherd: expected one path");
    expect(ask(ASKED, "rsync", ".", ".", `${data}/`).said).toContain(". is not allowed");
  });

  test("not through a link in it, as the path or on the way", () => {
    symlinkSync(folder, join(data, "base link"));
    const path = `${data}/base link/20-secrets.yml`;
    expect(ask(ASKED, "rsync", ".", path)).toEqual(refused(`${path} is not in the data directory`));
    expect(ask(ASKED, "rsync", "--files-from=-", ".", `${data}/`).said).toContain(
      `${data}/base link leads to ${folder}, which is no part of the database.`,
    );
  });

  test("not what a link beside the tablespaces leads to", () => {
    symlinkSync(folder, join(data, "pg_tblspc/x"));
    expect(ask(ASKED, "rsync", ".", secret).status).toBe(64);
    expect(ask(ASKED, "rsync", ".", `${data}/`).status).toBe(64);
  });

  test.each(["", "etc/passwd", "/\n"])("not the path %j", (path) => {
    expect(ask(ASKED, "rsync", ".", path).status).toBe(64);
  });
});

test.each([
  "sh",
  "rsync --server -LtprRe.iLsfxCIvu . /tmp",
  "rsync --server --sender -LtprRe.iLsfxCIvu --remove-source-files . /etc",
  "rsync --server --sender -sLtprRe.iLsfxCIvu . /etc",
  "rsync --server --sender -sLtprze.iLsfxCIvu;id",
  "rsync --server --sender -sLDtpre.iLsfxCIvu",
  "rsync --server --sender -s",
])("%s is refused", (command) => {
  expect(ask(command, "rsync", ".", `${data}/`).status).toBe(64);
});

test("a log directory that lies elsewhere is no hindrance", () => {
  symlinkSync("/var/log", join(data, "log"));
  expect(ask(ASKED, "rsync", ".", `${data}/`).status).toBe(0);
  rmSync(join(data, "log"));
});

test("an older rsync is not asked for what it does not know", () => {
  writeFileSync(join(bin, "rsync"), RSYNC.replace("--confine-root", ""), { mode: 0o755 });
  expect(ask(ASKED, "rsync", ".", `${data}/`)).toEqual(ran("-LtprRe.iLsfxCIvu", ".", `${data}/`));
  writeFileSync(join(bin, "rsync"), RSYNC, { mode: 0o755 });
});
