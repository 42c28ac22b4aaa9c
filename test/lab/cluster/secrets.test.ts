import { describe, expect, test } from "vitest";
import { labPaths } from "../../../src/lab/paths";
import { tryRun } from "../../../src/lab/run";
import { LAB } from "./lab";
import { cluster, HOSTS, standing } from "./standing";

standing();

describe("secrets", () => {
  test("a generated password stands in no state file, log, command line or file that others can read", async () => {
    const { passwords, statsPassword } = await cluster.outputs();
    const { stdout: inState } = await tryRun(["grep", "-rlF", passwords.app, labPaths(LAB).pulumi]);
    expect(inState).toBe("");
    const search = Buffer.from(
      `p='${passwords.app}'; r='${await replicationPassword()}'; s='${statsPassword}'
       cp /var/lib/seen-arguments /var/lib/seen-before # The search itself has the secrets in its arguments.
       for secret in "$p" "$r" "$s"; do
         journalctl --no-pager -o cat | grep -qF "$secret" && echo journal
         grep -qF "$secret" /var/lib/seen-before && echo arguments
         find /etc /var /run /tmp /home /root -xdev -type f -perm /o=r -size -4M -exec grep -lF "$secret" {} +
       done; :`,
    ).toString("base64");
    for (const host of HOSTS) {
      expect(await cluster.onHost(host, `echo ${search} | base64 -d | sudo sh`), host).toBe("");
    }
    // The search itself must be able to find something.
    expect(await cluster.onHost("db1", "sudo grep -c patroni /var/lib/seen-arguments")).not.toBe(
      "0\n",
    );
  });

  async function replicationPassword(): Promise<string> {
    const file = await cluster.onHost("db1", "sudo cat /etc/patroni/pgherd/20-secrets.yml");
    return /username: "replicator"\n\s+password: "([^"]+)"/.exec(file)?.[1] ?? "no password found";
  }
});
