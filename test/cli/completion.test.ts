import { expect, test } from "vitest";
import { complete } from "../../src/cli/completion";
import { makeProgram } from "../../src/cli/program";

const program = makeProgram();
const words = (line: string) => complete(program, line.split(" "));

test("verbs are completed, hidden ones not", () => {
  expect(words("sw")).toEqual(["switchover"]);
  expect(words("re")).toEqual(["reinit", "reload", "restart", "restore", "resume"]);
  expect(words("__")).toEqual([]);
});

test("options are completed, and their values", () => {
  expect(words("switchover --a")).toEqual(["--at"]);
  expect(words("switchover --to ")).toEqual(["db1", "db2", "db3"]);
  expect(words("status --stack la")).toEqual(["lab"]);
});

test("members and hosts are those of the stack", () => {
  expect(words("restart db")).toEqual(["db1", "db2", "db3"]);
  expect(words("logs db1 lb")).toEqual(["lb1", "lb2"]);
});

test("verbs below verbs are completed", () => {
  expect(words("lab po")).toEqual(["power"]);
  expect(words("lab power o")).toEqual(["off", "on"]);
});

test("a stack that cannot be read completes to nothing", () => {
  expect(words("restart --stack nonsense ")).toEqual([]);
});
