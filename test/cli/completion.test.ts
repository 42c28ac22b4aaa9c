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

test("values of options are completed: those of a choice, members, users, and after an equals sign", () => {
  expect(words("logs -d pat")).toEqual(["patroni"]);
  expect(words("logs -d patroni ha")).toEqual(["haproxy"]);
  expect(words("psql --port syn")).toEqual(["synchronous"]);
  expect(words("psql -U a")).toEqual(["app"]);
  expect(words("fork create try --from rep")).toEqual(["replica"]);
  expect(words("switchover --to=db")).toEqual(["--to=db1", "--to=db2", "--to=db3"]);
});

test("values are completed after an equals sign in bash, which takes it for a word", () => {
  expect(words("switchover --to =")).toEqual(["db1", "db2", "db3"]);
  expect(words("switchover --to = db3")).toEqual(["db3"]);
});

test("after a value comes the next thing", () => {
  expect(words("lab up --data-fs b")).toEqual(["btrfs"]);
  expect(words("logs -n 5 lb")).toEqual(["lb1", "lb2"]);
  expect(words("restart --stack=lab db")).toEqual(["db1", "db2", "db3"]);
});
