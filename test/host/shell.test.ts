import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { hereDocument, quote, words } from "../../src/host/shell";

/** What a real shell makes of a script. */
function sh(script: string): string {
  return execFileSync("/bin/sh", ["-s"], { input: script, encoding: "utf8" });
}

const HOSTILE = [
  "",
  "plain",
  "two words",
  "it's",
  "''",
  '"',
  "two\nlines\n",
  "$(id)",
  "`id`",
  "$HOME",
  "back\\slash\\",
  "*",
  "~root",
  "-n",
  "a;b&c|d>e<f",
  "#no comment",
  "{a,b}",
  "!history",
  "\ttab",
  "ü€🐘",
  "name=value",
];

test.each(HOSTILE)("%j reaches a command as one word, as it is", (value) => {
  expect(sh(`printf '<%s>' ${quote(value)}`)).toBe(`<${value}>`);
});

test("several values reach a command as as many words", () => {
  expect(sh(`printf '<%s>' ${words(HOSTILE)}`)).toBe(HOSTILE.map((value) => `<${value}>`).join(""));
});

test("a number needs no quotes, nor does a path", () => {
  expect(words([5432, "/etc/default/etcd", "http://10.89.0.11:2379"])).toBe(
    "5432 /etc/default/etcd http://10.89.0.11:2379",
  );
});

test.each([...HOSTILE, "PGHERD", "PGHERD\nPGHERD_\nid", "a\nPGHERD"])(
  "%j reaches a command's input as it is",
  (value) => {
    const text = `${value}\n`;
    expect(sh(`cat ${hereDocument(text)}`)).toBe(text);
  },
);

test("what follows a here-document is run", () => {
  expect(sh(`cat ${hereDocument("PGHERD\n")}echo next\n`)).toBe("PGHERD\nnext\n");
});
