import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { directoriesProbe, filesProbe } from "../../src/facts/files";

const sh = (script: string) => execFileSync("/bin/sh", { input: script, encoding: "utf8" });
const folder = mkdtempSync(join(tmpdir(), "pgherd-facts-"));

test("files are told with content, mode and owner, and absent ones are left out", () => {
  const odd = join(folder, "it's $(odd)");
  const empty = join(folder, "empty");
  const content = "two\nlines, ü and no newline";
  writeFileSync(odd, content);
  chmodSync(odd, 0o640);
  writeFileSync(empty, "");
  chmodSync(empty, 0o4755);
  const probe = filesProbe([join(folder, "absent"), odd, folder, empty]);
  const found = probe.parse(sh(probe.script));
  expect(Object.keys(found)).toEqual([odd, empty]);
  expect(found[odd]).toMatchObject({ content, mode: "0640", owner: userInfo().username });
  expect(found[odd]?.changed).toBeGreaterThan(1_600_000_000);
  expect(found[empty]).toMatchObject({ content: "", mode: "4755" });
});

test("directories are told with mode and owner, and files are none", () => {
  const inner = join(folder, "inner");
  mkdirSync(inner);
  chmodSync(inner, 0o700);
  writeFileSync(join(folder, "file"), "");
  const probe = directoriesProbe([join(folder, "absent"), inner, join(folder, "file")]);
  expect(probe.parse(sh(probe.script))).toEqual({
    [inner]: {
      mode: "0700",
      owner: userInfo().username,
      group: sh("id -gn").trim(),
    },
  });
});
