import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { LOADED_RULES, parseRules } from "../../src/facts/loaded-rules";

/** Of the machine that tests. */
const VERSION = [18, 17, 16, 15, 14, 13].find((one) =>
  existsSync(`/usr/lib/postgresql/${one}/bin/initdb`),
);

const LINES = [
  "local all all trust",
  "hostssl shop all 10.0.0.0/8 scram-sha-256",
  "host all all 10.0.0.0/99 scram-sha-256",
];

test.runIf(VERSION !== undefined && process.getuid?.() === 0)(
  "a line for SSL is one of those that a server without SSL has loaded",
  () => {
    const folder = mkdtempSync("/tmp/pgherd-rules-");
    const data = join(folder, "data");
    const asPostgres = (program: string, args: readonly string[], input = "") =>
      execFileSync(
        "runuser",
        ["-u", "postgres", "--", `/usr/lib/postgresql/${VERSION}/bin/${program}`, ...args],
        { input, encoding: "utf8", cwd: "/", stdio: ["pipe", "pipe", "ignore"] },
      );
    const rulesOf = (lines: readonly string[]) => {
      writeFileSync(join(data, "pg_hba.conf"), `${lines.join("\n")}\n`);
      const args = ["-XAtq", "-h", folder, "-U", "postgres", "-d", "postgres"];
      return parseRules(asPostgres("psql", args, LOADED_RULES));
    };
    execFileSync("chown", ["postgres", folder]);
    try {
      asPostgres("initdb", ["-D", data, "-U", "postgres", "-A", "trust", "-N", "--no-locale"]);
      const options = `-c listen_addresses= -c unix_socket_directories=${folder} -c ssl=off -c fsync=off`;
      asPostgres("pg_ctl", [
        "-s",
        "-w",
        "-D",
        data,
        "-l",
        join(folder, "log"),
        "-o",
        options,
        "start",
      ]);
      const { hba, errors } = rulesOf(LINES);
      expect(hba.map((row) => (JSON.parse(row) as { type: string }).type)).toEqual([
        ...["local", "hostssl"],
      ]);
      expect(errors).toEqual(['line 3: invalid CIDR mask in address "10.0.0.0/99"']);
      expect(rulesOf(LINES.slice(0, 2)).errors).toEqual([]);
    } finally {
      asPostgres("pg_ctl", ["-s", "-D", data, "-m", "immediate", "stop"]);
      rmSync(folder, { recursive: true });
    }
  },
);
