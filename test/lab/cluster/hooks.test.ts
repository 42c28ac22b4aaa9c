import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { labExec } from "../../../src/lab/exec";
import { LAB } from "./lab";
import { cluster, sshOption, standing } from "./standing";

standing();

test("the user's own commands run once around a change, here and on a host by an SSH agent", async () => {
  const folder = mkdtempSync(join(tmpdir(), "pgherd-"));
  const knownHosts = readFileSync(sshOption("UserKnownHostsFile"), "utf8").split("\n");
  const hostKey = knownHosts.find((line) => /10\.89\.0\.11\S* ssh-ed25519/.test(line));
  const says = (name: string) => `echo ${name} ran >>`;
  const varied = cluster.varying(({ hosts, cluster: wanted }) => {
    hosts.db1 = {
      address: "10.89.0.11",
      user: "deploy",
      hostKey: hostKey?.replace(/^\S+ /, ""),
    };
    wanted.hooks = [
      { name: "announce", when: "before", run: `${says("announce")} ${folder}/hooks` },
      { name: "note", when: "after", on: "db1", run: `${says("note")} hooks; id -un >> hooks` },
    ];
  });
  const up = varied.argv("up", "--yes", "--skip-preview").join(" ");
  const withAgent = `ssh-add -q ${sshOption("IdentityFile")} && ${up} && ${up} --expect-no-changes`;
  await labExec(LAB, ["ssh-agent", "sh", "-c", withAgent]);
  expect(readFileSync(`${folder}/hooks`, "utf8")).toBe("announce ran\n");
  expect(await cluster.onHost("db1", "cat hooks")).toBe("note ran\ndeploy\n");
});
