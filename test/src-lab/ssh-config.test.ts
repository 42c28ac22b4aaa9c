import SSHConfig from "ssh-config";
import { describe, expect, test } from "vitest";
import { renderKnownHosts, renderSshConfig } from "../../src/lab/ssh-config";

const HOSTS = [
  { name: "db1", address: "10.89.0.11", address6: "fd00:89::11", hostKey: "ssh-ed25519 AAAA1" },
  { name: "lb1", address: "10.89.0.31", address6: "fd00:89::31", hostKey: "ssh-ed25519 AAAA3" },
];
const PATHS = {
  key: "/home/a b/labs/lab/id_ed25519",
  knownHosts: "/home/a b/labs/lab/known_hosts",
};

describe("the lab's ssh_config", () => {
  const config = SSHConfig.parse(renderSshConfig(PATHS, HOSTS));

  test.each([
    ["db1", "10.89.0.11"],
    ["10.89.0.31", undefined],
    ["fd00:89::200", undefined],
  ])("lets %s in as deploy, with the lab's key and known host keys only", (host, hostName) => {
    expect(config.compute(host)).toMatchObject({
      User: "deploy",
      IdentityFile: [PATHS.key],
      UserKnownHostsFile: PATHS.knownHosts,
      StrictHostKeyChecking: "yes",
    });
    if (hostName) expect(config.compute(host)["HostName"]).toBe(hostName);
  });

  test("says nothing about hosts outside of the lab", () => {
    expect(config.compute("192.0.2.1")).not.toHaveProperty("IdentityFile");
  });
});

test("known_hosts holds each key under the host's name and both addresses", () => {
  expect(renderKnownHosts(HOSTS)).toBe(
    "db1,10.89.0.11,fd00:89::11 ssh-ed25519 AAAA1\nlb1,10.89.0.31,fd00:89::31 ssh-ed25519 AAAA3\n",
  );
});
