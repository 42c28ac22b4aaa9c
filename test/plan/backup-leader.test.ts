import { spawnSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { canonical } from "../../src/plan/addresses";
import { render } from "../../src/plan/template";

// Where the backup host logs in, by the real script. In place of psql and ssh are scripts that answer and print.

const folder = mkdtempSync(join(tmpdir(), "pgherd-leader-"));
const script = join(folder, "leader");
const text = render("barman/leader.sh", {
  ...{ conninfo: "host=10.89.0.100", sshConfig: "/none" },
  members: ["10.89.0.11", "fd00:89::12"],
});
writeFileSync(script, text.replaceAll("/usr/bin/", `${folder}/`));
const fake = (name: string, content: string) =>
  writeFileSync(join(folder, name), `#!/bin/sh\n${content}\n`, { mode: 0o755 });
fake("psql", 'printf "%s\\n" "$ANSWER"');
fake("ssh", "printf '<%s>' \"$@\"");

function run(answer: string, ...words: string[]) {
  const env = { ...process.env, ANSWER: answer };
  const { status, stdout, stderr } = spawnSync("sh", [script, ...words], { env, encoding: "utf8" });
  return { status, said: (status === 0 ? stdout : stderr).trim() };
}

test.each(["10.89.0.11", "fd00:89::12"])("a command goes to the member at %s", (address) => {
  const barman = ["-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no"];
  expect(run(address, ...barman, "", "rsync", "--server")).toEqual({
    status: 0,
    said: `<-F></none><-o><StrictHostKeyChecking=yes><--><${address}><><rsync><--server>`,
  });
});

test.each([
  "-oProxyCommand=id",
  "10.89.0.99",
  "10.89.0.11 -oProxyCommand=id",
  "10.89.0.11\n-oProxyCommand=id",
  "*",
  "",
])("what else a server answers ends there: %j", (answer) => {
  const { status, said } = run(answer, "true");
  expect(status).toBe(255);
  expect(said).toContain("pgherd: expected the address of a member, found");
});

test("addresses are compared as PostgreSQL writes them", () => {
  expect(["FD00:89:0:0::12", "10.89.0.11"].map(canonical)).toEqual(["fd00:89::12", "10.89.0.11"]);
});
