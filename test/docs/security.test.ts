import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { packageRoot } from "../../src/package-root";

const ACTORS = [
  "a website in the operator's browser",
  "a process of another user on the operator's machine",
  "a caller without the API's token",
  "a caller with the API's token",
  "a neighbour on the network",
  "any local user of a host",
  "the user postgres of a host",
  "the user barman of the backup host",
  "the users haproxy and keepalived of a balancer",
  "the owner of a database",
  "a user with CREATE on a schema",
  "a replica's host",
  "the backup host towards the members",
  "a member towards the backup host",
  "a hostile or half-dead server that is to be migrated",
];

/** Rows of the table of actors: `| actor | may | may not | \`file\`: title; \`file\`: title |`. */
function rows(): { actor: string; shown: { file: string; title: string }[] }[] {
  const text = readFileSync(join(packageRoot(), "docs/security.md"), "utf8");
  return text
    .split("\n")
    .filter((line) => /^\| [^-]/.test(line) && line.includes("`test/"))
    .map((line) => {
      const cells = line.split(" | ").map((cell) => cell.replace(/^\| | \|$/g, "").trim());
      const shown = [...(cells.at(-1) ?? "").matchAll(/`(test\/[^`]+)`: ([^;]+)/g)].map(
        ([, file = "", title = ""]) => ({ file, title: title.trim() }),
      );
      return { actor: (cells[0] ?? "").toLowerCase(), shown };
    });
}

test("the documentation of security tells of every actor", () => {
  const told = rows().map(({ actor }) => actor);
  expect(ACTORS.filter((actor) => !told.includes(actor.toLowerCase()))).toEqual([]);
});

test.each(rows().map((row) => [row.actor, row] as const))(
  "what the documentation of security says of %s is shown by tests that are there",
  (_actor, { shown }) => {
    expect(shown.length).toBeGreaterThan(0);
    const missing = shown.filter(({ file, title }) => {
      const path = join(packageRoot(), file);
      return !existsSync(path) || !readFileSync(path, "utf8").includes(title);
    });
    expect(missing).toEqual([]);
  },
);
