import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { render } from "../../src/plan/template";

// The script that Patroni runs in, where a migrated server has variables of Debian's: the real one, in a real shell.

/** The variables that a command has, of a file with this text. */
function environment(text: string): { [name: string]: string } {
  const folder = mkdtempSync(join(tmpdir(), "pgherd-environment-"));
  const script = join(folder, "with-environment");
  writeFileSync(script, render("patroni/with-environment.sh", {}));
  chmodSync(script, 0o755);
  writeFileSync(join(folder, "environment"), text);
  const { stdout, stderr } = spawnSync(script, [join(folder, "environment"), "env", "-0"], {
    env: { PATH: "/usr/bin:/bin" },
    encoding: "utf8",
  });
  expect(stderr).toBe("");
  const pairs = stdout
    .split("\0")
    .filter((one) => one !== "")
    .map((one): [string, string] => [
      one.slice(0, one.indexOf("=")),
      one.slice(one.indexOf("=") + 1),
    ]);
  // What the shell adds by itself is no matter.
  const rest = Object.fromEntries(
    pairs.filter(([name]) => !/^(PATH|PWD|SHLVL|_|LC_ALL)$/.test(name)),
  );
  return rest;
}

test("a server that Patroni starts has the variables that Debian's own start gave it", () => {
  const text = `# environment variables for postgres process
PLAIN = /srv/archive
  INDENTED='two  words' # and why
QUOTES = 'it''s \\'ours\\' = "yours" | $HOME \`id\`'
EMPTY = ''
#OFF = 'x'
NOT = two words
last = x`;
  expect(environment(text)).toEqual({
    PLAIN: "/srv/archive",
    INDENTED: "two  words",
    QUOTES: `it's 'ours' = "yours" | $HOME \`id\``,
    EMPTY: "",
    last: "x",
  });
});

test("a host without such a file starts it all the same", () => {
  expect(environment("")).toEqual({});
});
