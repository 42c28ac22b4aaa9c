import { expect, test } from "vitest";
import { renderMigration } from "../../src/migration/cli/migration";
import { printable } from "../../src/cli/table";

test.each([
  ["user=x\u001b[31mRED\u001b]0;pwn\u0007,db=app", "user=x^[[31mRED^[]0;pwn^G,db=app"],
  ["a\rb\u007f", "a^Mb^?"],
  ["\u009b31m", "\ufffd31m"],
  ["two\nlines\tand Ärger 日本", "two\nlines\tand Ärger 日本"],
])("what a host has said moves no cursor and sets no title: %j", (text, expected) => {
  expect(printable(text)).toBe(expected);
});

const OLD = {
  host: "old1",
  state: "replaced",
  method: "standbyCluster",
  until: "cutOver",
  steps: [{ name: "cutOver", state: "done" }],
} as const;

test("a client's names move no cursor in the list of who is still connected", () => {
  const client = { user: "a", database: "b", address: "", application: "\u001b]0;x\u0007" };
  const told = renderMigration({
    ...OLD,
    direct: [{ ...client, sessions: 1 }],
  });
  expect(told).toContain("^[]0;x^G");
});

test("a server that the cluster has replaced is not said to be empty where it could not be asked", () => {
  const told = renderMigration({ ...OLD, unasked: "it does not answer" });
  expect(told).toContain("is not known: it does not answer");
  expect(told).not.toContain("No client");
});
