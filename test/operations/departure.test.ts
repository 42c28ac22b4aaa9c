import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { confirmNoMore } from "../../src/operations/departure";
import { MEMBER_FILE } from "../../src/roles/patroni";

let folder: string;

beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "departure-"))));
afterEach(() => rmSync(folder, { recursive: true }));

/** What the script asks of systemctl, where the member's file says this; and what the file says then. */
function run(content: string): { readonly asked: string; readonly file: string } {
  const [file, asked] = [join(folder, "member.yml"), join(folder, "asked")];
  writeFileSync(file, content);
  writeFileSync(asked, "");
  const script = confirmNoMore().replaceAll(MEMBER_FILE, file);
  execFileSync("sh", ["-ec", `systemctl() { echo "$@" >>${asked}; }\n${script}`]);
  return { asked: readFileSync(asked, "utf8"), file: readFileSync(file, "utf8") };
}

test("Patroni reads a member's file again, also where a run was killed between the file and that", () => {
  const [before, after] = ["false", "true"].map(
    (value) => `name: db3\ntags:\n  nosync: ${value}\n`,
  );
  for (const content of [before, after]) {
    const { asked, file } = run(content ?? "");
    expect(file).toBe(after);
    expect(asked).toMatch(/^reload '?patroni/);
  }
});
