import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { render } from "../../src/plan/template";

/** Members of etcd by their addresses; one is above what fits a signed number. */
const IDS: Readonly<Record<string, string>> = {
  "http://10.89.0.11:2379": "9372538179322589801",
  "http://10.89.0.12:2379": "10501334649042878790",
  "http://10.89.0.13:2379": "18249187646912138824",
};
const [OWN = "", SECOND = "", THIRD = ""] = Object.keys(IDS);

/** Has Patroni say on the first member that its PostgreSQL has got a role. Returns what etcd was told. */
function onRole(role: string, etcd: { leader: string; silent?: readonly string[] }): string {
  const folder = mkdtempSync(join(tmpdir(), "pgherd-dcs-lead-"));
  const told = join(folder, "told");
  const answers = Object.entries(IDS)
    .filter(([url]) => !etcd.silent?.includes(url))
    .map(([url, id]) => {
      const fields = `"MemberID" : ${id}\\n"Leader" : ${IDS[etcd.leader]}\\n"Endpoint" : "${url}"\\n`;
      return `*${url}*status*) printf '${fields}';;`;
    });
  const etcdctl = `#!/bin/sh\ncase "$*" in *move-leader*) echo "$*" >>${told};;\n${answers.join("\n")}\n*) exit 1;; esac\n`;
  writeFileSync(join(folder, "etcdctl"), etcdctl);
  chmodSync(join(folder, "etcdctl"), 0o755);
  const script = render("etcd/give-lead-away.sh", { own: OWN, others: [SECOND, THIRD] });
  execFileSync("/bin/bash", ["-s", "on_role_change", role, "demo"], {
    input: script,
    env: { PATH: `${folder}:${process.env.PATH}` },
  });
  return existsSync(told) ? readFileSync(told, "utf8") : "";
}

test("etcd's lead moves to another member when the primary is on its leader's host", () => {
  expect(onRole("primary", { leader: OWN })).toMatch(
    /--endpoints=http:\/\/10.89.0.11:2379 move-leader 91bc3c398fb3c146\n$/,
  );
});

test("Patroni before 4.0 calls the primary master", () => {
  expect(onRole("master", { leader: OWN })).not.toBe("");
});

test("a member of etcd that does not answer does not get the lead", () => {
  expect(onRole("primary", { leader: OWN, silent: [SECOND] })).toContain(
    "move-leader fd422379fda50e48\n",
  );
});

test("etcd's lead stays where the primary is not, and with an etcd that cannot be asked", () => {
  expect(onRole("primary", { leader: SECOND })).toBe("");
  expect(onRole("replica", { leader: OWN })).toBe("");
  expect(onRole("primary", { leader: OWN, silent: [OWN, SECOND, THIRD] })).toBe("");
});
