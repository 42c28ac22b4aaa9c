import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { copyTargetProbe } from "../../../src/migration/facts/adoption";
import { asRoot, give, ground, LESSER, rootShell } from "../../users";

test.runIf(asRoot)("what a setting names is there only where PostgreSQL's user can read it", () => {
  const { root, lesser } = ground();
  const place = (name: string, mode: number, content?: string) => {
    const path = join(root, name);
    if (content === undefined) mkdirSync(path);
    else writeFileSync(path, content);
    chmodSync(path, mode);
    return path;
  };
  const read = [place("words.stop", 0o644, "the\n"), place("open", 0o755)];
  const unread = [place("key", 0o600, "secret\n"), place("closed", 0o700), join(root, "none")];
  const own = place("own", 0o600, "its own\n");
  give(own);
  const asked = { files: [...read, ...unread, own], directories: [], groups: [] };
  const { script, parse } = copyTargetProbe(lesser, asked);
  const { stdout, stderr } = rootShell(
    `set -eu\n${script.replaceAll("-u postgres", `-u ${LESSER}`).replaceAll("runuser -u 'postgres'", `runuser -u ${LESSER}`)}`,
  );
  expect(stderr).toBe("");
  expect(parse(stdout).files).toEqual([...read, own]);
});
