import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { reloadMember } from "../../src/operations/patroni";

// The real script; in place of curl and runuser are scripts that write down how they are called.

function call(secrets: string) {
  const folder = mkdtempSync(join(tmpdir(), "pgherd-rest-"));
  const bin = join(folder, "bin");
  mkdirSync(bin);
  const fake = (name: string, text: string) =>
    writeFileSync(join(bin, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  fake("runuser", `echo "$2" >${folder}/user; shift 3; exec "$@"`);
  fake("curl", `echo "$@" >${folder}/arguments; cat >${folder}/options; printf 200`);
  writeFileSync(join(folder, "secrets.yml"), secrets);
  const script = reloadMember("10.89.0.11:8008").replaceAll(
    "/etc/patroni/pgherd/20-secrets.yml",
    join(folder, "secrets.yml"),
  );
  const { status, stderr } = spawnSync("sh", ["-s"], {
    input: `PATH=${bin}:$PATH\n${script}\n`,
    encoding: "utf8",
  });
  const read = (name: string) =>
    existsSync(join(folder, name)) ? readFileSync(join(folder, name), "utf8").trim() : "";
  return { status, stderr, ...{ user: read("user"), options: read("options") } };
}

const file = (...passwords: string[]) =>
  [
    "restapi:\n  authentication:\n    username: patroni",
    ...passwords.map((password) => `    password: "${password}"`),
    'postgresql:\n  authentication:\n    replication:\n      password: "other"\n',
  ].join("\n");

test("Patroni is asked as the user whom the password belongs to", () => {
  expect(call(file("Abc123"))).toEqual({
    ...{ status: 0, stderr: "", user: "postgres" },
    options: 'user = "patroni:Abc123"',
  });
});

test.each([
  [["Abc123", 'x"\noutput = "/etc/cron.d/x']],
  [["Abc123", "Abc124"]],
  [['Abc"\\noutput = \\"/etc/cron.d/x']],
  [[]],
])("what is not one password never becomes an option of curl's: %j", (passwords) => {
  const { status, stderr, options } = call(file(...passwords));
  expect(status).toBe(1);
  expect(options).toBe("");
  expect(stderr).toContain("expected one password of the REST API, of letters and digits");
  expect(stderr).not.toContain("Abc");
});
