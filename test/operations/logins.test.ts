import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { loginFiles, userLoginsProbe } from "../../src/facts/logins";
import { guestLine, makeKey, setGuests, writeClient } from "../../src/operations/logins";

/** Runs a script as root would, and tells what it left to others: there runuser only writes down what it is to run. */
function left(script: string): { readonly user: string; readonly script: string } {
  const folder = mkdtempSync(join(tmpdir(), "pgherd-logins-"));
  const bin = join(folder, "bin");
  mkdirSync(bin);
  const fake = (name: string, text: string) =>
    writeFileSync(join(bin, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  fake("runuser", `echo "$2" >>${folder}/user; cat >>${folder}/script`);
  // All of it lies below a directory of that user, but for the user's own directory of keys.
  fake(
    "namei",
    `shift 2; for path; do case $path in /var/lib/pgherd/ssh-postgres) user=root ;; *) user=postgres ;; esac
echo "f: $path"; echo "drwxr-xr-x $user $user a"; echo "drwxr-xr-x $user $user b"; done`,
  );
  fake("install", `[ "$*" = "-d -m 0700 -o postgres -g postgres /var/lib/pgherd/ssh-postgres" ]`);
  fake("getent", "echo postgres:x:1:1::/var/lib/postgresql:/bin/sh");
  for (const name of ["rm", "mv", "mkdir", "chown", "chmod", "sync", "ssh-keygen"])
    fake(name, `echo ${name} >>${folder}/done`);
  const { status, stderr } = spawnSync("sh", ["-s"], {
    input: `set -e\nPATH=${bin}:$PATH\n${script}\n`,
    encoding: "utf8",
  });
  expect({ status, stderr, done: existsSync(join(folder, "done")) }).toEqual({
    ...{ status: 0, stderr: "", done: false },
  });
  const read = (name: string) => readFileSync(join(folder, name), "utf8").trim();
  return { user: read("user"), script: read("script") };
}

const { key, config, knownHosts } = loginFiles("postgres");

test.each([
  ["makes a key", makeKey("postgres"), key],
  ["writes settings and known hosts", writeClient("postgres", "a\n", "b\n"), knownHosts],
  ["writes settings", writeClient("postgres", "a\n", "b\n"), config],
  [
    "lets guests in",
    setGuests("postgres", "demo", { home: "/home/pg", authorized: ["mine"] }, ["line"]),
    "/home/pg/.ssh/authorized_keys",
  ],
  ["looks at keys and guests", userLoginsProbe("postgres").script, "$home/.ssh/authorized_keys"],
])("root %s as the user in whose directories they are", (_what, script, path) => {
  const run = left(script);
  expect(new Set(run.user.split("\n"))).toEqual(new Set(["postgres"]));
  expect(run.script).toContain(path);
});

test("a key is good for one command, from the address of its own host", () => {
  const link = {
    ...{ from: "backup1", fromAddress: "10.89.0.41", fromUser: "barman" },
    ...{ to: "db1", toUser: "postgres", address: "10.89.0.11", port: 22 },
    command: "/var/lib/pgherd/backup-window",
  };
  expect(guestLine("demo", link, "ssh-ed25519 AAAA")).toBe(
    'restrict,from="10.89.0.41",command="/var/lib/pgherd/backup-window" ssh-ed25519 AAAA pgherd:demo barman@backup1',
  );
});
