import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { complete, completionCommand } from "../../src/cli/completion";
import { makeProgram } from "../../src/cli/program";

const program = await makeProgram();
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

const zsh = spawnSync("zsh", ["--version"]).status === 0;

/** What zsh does with the script, where `compdef` and `compadd` only tell that they were called. */
function inZsh(script: string): string {
  const dir = mkdtempSync(join(tmpdir(), "pgherd-zsh-"));
  writeFileSync(join(dir, "_pgherd"), zshScript());
  writeFileSync(join(dir, "pgherd"), "#!/bin/sh\necho switchover\n", { mode: 0o755 });
  const told = `compdef() { echo "compdef $@" }\ncompadd() { echo "compadd \${found[@]}" }\nwords=(pgherd sw) CURRENT=2\n`;
  const env = { ...process.env, PATH: `${dir}:${process.env.PATH}`, DIR: dir };
  return execFileSync("zsh", ["-f", "-c", told + script], { encoding: "utf8", env });
}

function zshScript(): string {
  const written: string[] = [];
  const write = vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    written.push(String(text));
    return true;
  });
  completionCommand().parse(["zsh"], { from: "user" });
  write.mockRestore();
  return written.join("");
}

test.skipIf(!zsh)("zsh's script completes at its first call as an autoload function", () => {
  expect(inZsh("fpath=($DIR); autoload -U _pgherd; _pgherd; _pgherd")).toBe(
    "compadd switchover\ncompadd switchover\n",
  );
});

test.skipIf(!zsh)("zsh's script registers what it defines where it is sourced", () => {
  expect(inZsh("source $DIR/_pgherd")).toBe("compdef _pgherd pgherd\n");
});

test("zsh's script calls itself where it is the body of the function", () => {
  expect(zshScript()).toMatch(/^#compdef pgherd\n[^]*funcstack\[1\] = _pgherd[^]*_pgherd "\$@"/);
});
