import { execFileSync } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { beforeEach, expect, test } from "vitest";

const ROOT = resolve(import.meta.dirname, "../..");
let clone: string;

beforeEach(() => {
  clone = mkdtempSync(join(tmpdir(), "pgherd-"));
  cpSync(join(ROOT, "bin/load.cjs"), join(clone, "bin/load.cjs"));
  mkdirSync(join(clone, "node_modules/dependency"), { recursive: true });
  symlinkSync(join(ROOT, "node_modules/esbuild"), join(clone, "node_modules/esbuild"));
  mkdirSync(join(clone, "src/provider"), { recursive: true });
});

/** Writes the provider's source, newer than whatever was bundled before. */
function write(text: string): void {
  const file = join(clone, "src/provider/main.ts");
  writeFileSync(file, text);
  const later = new Date(Date.now() + 60_000);
  utimesSync(file, later, later);
}

/** What a start of the provider prints. */
function start(env: NodeJS.ProcessEnv = {}): string {
  const script = `require(${JSON.stringify(join(clone, "bin/load.cjs"))})("provider")`;
  return execFileSync(process.execPath, ["-e", script], {
    encoding: "utf8",
    env: { ...process.env, ...env },
  });
}

test("a start by what the last one compiled does the same", () => {
  write('import { basename } from "node:path";\nconsole.log(basename("/a/b"));\n');
  expect(start()).toBe("b\n");
  expect(readdirSync(join(clone, "dist"))).toEqual([
    "provider.cjs",
    "provider.cjs.sources",
    "provider.cjs.v8",
  ]);
  expect(start()).toBe("b\n");
});

test("a changed source runs, even one of the same length", () => {
  write('console.log("before");\n');
  expect(start()).toBe("before\n");
  write('console.log("after!");\n');
  expect(start()).toBe("after!\n");
});

test("what was kept of a start is left out when it is damaged", () => {
  write('console.log("well");\n');
  start();
  writeFileSync(join(clone, "dist/provider.cjs.v8"), "nonsense");
  expect(start()).toBe("well\n");
});

test("a package that was exchanged runs, as old as its files may be", () => {
  const long = new Date("1985-10-26");
  const dependency = (text: string) => {
    for (const [name, content] of [
      ["index.js", `module.exports = ${JSON.stringify(text)};`],
      ["package.json", '{ "name": "dependency" }'],
    ] as const) {
      const file = join(clone, "node_modules/dependency", name);
      writeFileSync(file, content);
      utimesSync(file, long, long);
    }
  };
  const source = join(clone, "src/provider/main.ts");
  dependency("before");
  writeFileSync(source, 'import text from "dependency";\nconsole.log(text);\n');
  expect(start()).toBe("before\n");
  dependency("after!");
  expect(start()).toBe("after!\n");
});

test("for debugging, errors name the sources", () => {
  write('\n\nconsole.log(new Error("here").stack?.split("\\n")[1]);\n');
  start();
  expect(start({ PGHERD_DEBUG: "1" })).toContain("src/provider/main.ts:3:");
});
