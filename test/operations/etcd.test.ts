import { spawnSync } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { setAsideRemains, setKey } from "../../src/operations/etcd";

const folder = mkdtempSync(join(tmpdir(), "pgherd-etcd-"));
const script = `set -e\n${setKey(["http://10.89.0.11:2379"], "/service/demo/config", '{"note":"it\'s $(odd)"}', "42")}\necho done\n`;

/** Runs the script with an etcdctl that answers so. */
function run(answer: string) {
  const path = join(folder, "etcdctl");
  writeFileSync(path, `#!/bin/sh\ncat >${folder}/input\n${answer}\n`);
  chmodSync(path, 0o755);
  const env = { ...process.env, PATH: `${folder}:${process.env.PATH}` };
  return spawnSync("/bin/sh", { input: script, encoding: "utf8", env });
}

test("a key is set only if its revision is the one that was read", () => {
  expect(run("echo SUCCESS; echo; echo OK")).toMatchObject({ status: 0, stdout: "done\n" });
  expect(readFileSync(join(folder, "input"), "utf8")).toBe(
    'mod("/service/demo/config") = "42"\n\n' +
      'put "/service/demo/config" "{\\"note\\":\\"it\'s $(odd)\\"}"\n\n\n',
  );
});

test("a lost race is an error", () => {
  const { status, stderr } = run("echo FAILURE");
  expect(status).toBe(1);
  expect(stderr).toContain("somebody else changed /service/demo/config at the same moment");
});

test("an etcdctl that fails is an error", () => {
  expect(run("echo no endpoints >&2; exit 1").status).not.toBe(0);
});

test("what a member without a log has left is moved away, and nothing is no error", () => {
  const data = mkdtempSync(join(tmpdir(), "pgherd-etcd's "));
  const move = () => spawnSync("/bin/sh", { input: `set -e\n${setAsideRemains(data)}\n` }).status;
  expect(move()).toBe(0);
  mkdirSync(join(data, "member/snap"), { recursive: true });
  expect(move()).toBe(0);
  expect(readdirSync(data)).toEqual([expect.stringMatching(/^member\.without-log-\d{8}T\d{6}Z$/)]);
});
