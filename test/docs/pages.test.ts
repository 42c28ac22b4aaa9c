import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import type { Command } from "commander";
import { describe, expect, test } from "vitest";
import { makeProgram } from "../../src/cli/program";
import { packageRoot } from "../../src/package-root";
import { scripts } from "../../package.json";

const PAGES = [".", "docs"].flatMap((folder) =>
  readdirSync(join(packageRoot(), folder))
    .filter((name) => name.endsWith(".md"))
    .map((name) => normalize(join(folder, name))),
);

/** What stands in blocks of code, and what stands beside them. */
interface Page {
  readonly code: readonly string[];
  readonly text: readonly string[];
}

function read(page: string): Page {
  const code: string[] = [];
  const text: string[] = [];
  let fenced = false;
  for (const line of readFileSync(join(packageRoot(), page), "utf8").split("\n")) {
    if (line.trimStart().startsWith("```")) fenced = !fenced;
    else (fenced || line.startsWith("    ") ? code : text).push(line);
  }
  return { code, text };
}

/** As GitHub makes them of headings (github-slugger): lower case, without punctuation, dashes for spaces. */
function anchors(page: string): string[] {
  return read(page)
    .text.filter((line) => /^#+ /.test(line))
    .map((line) =>
      line
        .replace(/^#+ /, "")
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, "")
        .trim()
        .replaceAll(" ", "-"),
    );
}

/** Links of a page that lead nowhere. */
function broken(page: string): string[] {
  const links = [
    ...read(page)
      .text.join("\n")
      .matchAll(/\]\(([^)\s]+)\)/g),
  ].map(([, to = ""]) => to);
  return links.filter((link) => {
    if (/^https?:/.test(link)) return false;
    const [path = "", anchor] = link.split("#");
    const target = path === "" ? page : normalize(join(dirname(page), path));
    if (!existsSync(join(packageRoot(), target))) return true;
    return anchor !== undefined && !anchors(target).includes(anchor);
  });
}

/** The calls of pgherd in a page: as they are typed, and where they are mentioned. */
function calls(page: string): string[][] {
  const { code, text } = read(page);
  const typed = code.flatMap((line) => [
    ...line.matchAll(
      /(?:^\s*(?:\$ )?|exec -- |or by: )(?:npx )?pgherd ([^#|]*?)(?: {2,}|$|[#|)])/g,
    ),
    ...line.matchAll(/ {2,}(?:npx )?pgherd ([^#|]*?)(?: {2,}|$)/g),
  ]);
  const mentioned = [...text.join("\n").matchAll(/`(?:npx )?pgherd ([^`]+)`/g)];
  return [...typed, ...mentioned, ...verbs(text)].map(([, words = ""]) =>
    words
      .replaceAll("\\|", "|")
      .replace(/"[^"]*"|'[^']*'/g, "TEXT")
      .replace(/[[\]]/g, " ")
      .trim()
      .split(/\s+/),
  );
}

/** The first column of tables of verbs. */
function verbs(text: readonly string[]): RegExpMatchArray[] {
  const begin = text.findIndex((line) => /^\| Verb /.test(line));
  const rows = begin < 0 ? [] : text.slice(begin);
  const end = rows.findIndex((line) => !line.startsWith("|"));
  const cells = rows.slice(0, end).map((line) => line.split(/(?<!\\)\|/)[1] ?? "");
  return [...cells.join("\n").matchAll(/`([^`]+)`/g)];
}

const PROGRAM = await makeProgram();

/** What pgherd would not understand of a call; nothing if all is well. */
function misunderstood(words: readonly string[]): string | undefined {
  let command: Command = PROGRAM;
  for (const [place, word] of words.entries()) {
    // What follows is another program's.
    if (word === "--") return undefined;
    if (/^--?[a-z]/.test(word)) {
      if (command.name() === "psql" && /^-[ctf]$/.test(word)) return undefined;
      const [flag] = word.split("=");
      const known = [command, command.parent].some((one) =>
        one?.options.some(({ short, long }) => short === flag || long === flag),
      );
      if (!known && !["--help", "--version"].includes(flag ?? ""))
        return `${words.join(" ")}: ${word}`;
      continue;
    }
    const next = command.commands.find((one) => one.name() === word);
    if (next) command = next;
    else if (place === 0 || (command.commands.length > 0 && /^[a-z]+$/.test(word)))
      return `${words.join(" ")}: ${word}`;
  }
  return undefined;
}

describe.each(PAGES)("%s", (page) => {
  test("has links that lead somewhere", () => {
    expect(broken(page)).toEqual([]);
  });

  test("names verbs and options that pgherd has", () => {
    expect(calls(page).flatMap((words) => misunderstood(words) ?? [])).toEqual([]);
  });

  test("names scripts that the package has", () => {
    const { code, text } = read(page);
    const named = [...[...code, ...text].join("\n").matchAll(/npm run (?:--silent )?([\w:-]+)/g)];
    expect(
      named.map(([, name = ""]) => name).filter((name) => !Object.hasOwn(scripts, name)),
    ).toEqual([]);
  });
});

test("files that a page names are there", () => {
  const named = PAGES.flatMap((page) =>
    [
      ...readFileSync(join(packageRoot(), page), "utf8").matchAll(
        /(?<![\w./~-])(?:bench|bin|docs|examples|src|templates|test|tools)\/[\w./-]*\w/g,
      ),
    ].map(([path]) => ({ page, path })),
  );
  expect(named.length).toBeGreaterThan(100);
  expect(named.filter(({ path }) => !existsSync(join(packageRoot(), path)))).toEqual([]);
});

test("calls of pgherd are found, and wrong ones among them", () => {
  expect(calls("README.md").map(([verb]) => verb)).toEqual(
    expect.arrayContaining(["status", "failover", "psql", "serve"]),
  );
  expect(calls("docs/lab.md").map(([verb, second]) => `${verb} ${second}`)).toEqual(
    expect.arrayContaining(["lab up", "lab fault", "lab chaos"]),
  );
  expect(misunderstood(["status", "--wach"])).toBe("status --wach: --wach");
  expect(misunderstood(["statsu"])).toBe("statsu: statsu");
  expect(misunderstood(["backup", "snow"])).toBe("backup snow: snow");
});

test("every page is in the contents, and the README stays short", () => {
  const contents = readFileSync(join(packageRoot(), "docs/README.md"), "utf8");
  const pages = PAGES.filter((page) => page.startsWith("docs/") && page !== "docs/README.md");
  expect(pages.filter((page) => !contents.includes(`(${page.slice(5)})`))).toEqual([]);
  const readme = readFileSync(join(packageRoot(), "README.md"), "utf8");
  expect(readme.split("\n").length).toBeLessThanOrEqual(200);
});
