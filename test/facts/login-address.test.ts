import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { loginAddressProbe } from "../../src/facts/login-address";

const { script, parse } = loginAddressProbe;

/** As a shell that sudo has started with an environment of its own. */
function seen(connection: string | undefined) {
  const env: { [name: string]: string | undefined } = { ...process.env };
  delete env.SSH_CONNECTION;
  if (connection !== undefined) env.SSH_CONNECTION = connection;
  const inner = "env -i PATH=/usr/bin:/bin sh -eu; exit $?";
  const { stdout, status } = spawnSync("sh", ["-c", inner], {
    ...{ input: script, encoding: "utf8" },
    env: env as NodeJS.ProcessEnv,
  });
  return { status, address: parse(stdout) };
}

test("a host tells from where it sees a login come, also to whom sudo has given another environment", () => {
  expect(seen("192.0.2.7 50000 10.89.0.11 22")).toEqual({ status: 0, address: "192.0.2.7" });
  expect(seen("fe80::1%eth0 50000 fe80::2%eth0 22")).toEqual({ status: 0, address: "fe80::1" });
});

test("what is no address is nothing that is known", () => {
  for (const said of ["", "$(reboot) 1", "UNKNOWN 65535 UNKNOWN 65535"])
    expect(parse(said)).toBeUndefined();
});
