import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";

const PGHERD = join(import.meta.dirname, "../../bin/pgherd");
const DATABASE = "urn:pulumi:lab::pgherd::pgherd:index:PatroniCluster::demo-patroni";
const RANDOM = "random:index/randomPassword:RandomPassword";
const PASSWORD = `urn:pulumi:lab::pgherd::${RANDOM}::demo-passwords-user-app`;

/** What the verb has Pulumi do, where the state and a preview are so. */
function rotated(deployed: boolean, changes: string[]) {
  const folder = mkdtempSync(join(tmpdir(), "pgherd-rotate-"));
  const at = (name: string) => join(folder, name);
  const resources = [
    { urn: DATABASE, type: "pgherd:index:PatroniCluster" },
    ...(deployed ? [{ urn: PASSWORD, type: RANDOM }] : []),
  ];
  writeFileSync(at("state"), JSON.stringify({ deployment: { resources } }));
  const steps = [{ op: "update", urn: DATABASE, diffReasons: ["passwords", ...changes] }];
  writeFileSync(at("preview"), JSON.stringify({ steps }));
  writeFileSync(
    at("pulumi"),
    `#!/bin/sh
printf '%s\\n' "$*" >>${at("called")}
case "$*" in *" stack export "*) cat ${at("state")} ;; *" preview "*) cat ${at("preview")} ;; esac
`,
  );
  chmodSync(at("pulumi"), 0o755);
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [PGHERD, ..."users rotate app -s lab -y --json".split(" ")],
    {
      encoding: "utf8",
      timeout: 60_000,
      env: { ...process.env, PATH: `${folder}:${process.env.PATH}`, XDG_STATE_HOME: folder },
    },
  );
  const called = existsSync(at("called")) ? readFileSync(at("called"), "utf8") : "";
  return { status, stdout, said: stderr.replace(/\s+/g, " "), called };
}

test("a rotation has Pulumi replace the one password, and touch nothing but the database's roles", () => {
  const { status, stdout, called } = rotated(true, []);
  expect(status).toBe(0);
  expect(JSON.parse(stdout)).toEqual({ user: "app", rotated: true });
  const up = called.split("\n").find((line) => line.includes(" up "));
  expect(up).toContain(`--target-replace ${PASSWORD} --target ${DATABASE} `);
  expect(up).toContain("--skip-preview");
});

test("a rotation that would bring along what is not deployed is refused, and changes nothing", () => {
  const { status, said, called } = rotated(true, ["roles", "configuration"]);
  expect(status).not.toBe(0);
  expect(said).toContain("changes of the database that are not deployed (roles, configuration)");
  expect(called).toContain(" preview ");
  expect(called).not.toContain(" up ");
});

test("a user who is not deployed yet has no password to rotate", () => {
  const { status, said, called } = rotated(false, []);
  expect(status).not.toBe(0);
  expect(said).toContain("expected a password of it in the state");
  expect(called).not.toMatch(/ (up|preview) /);
});
