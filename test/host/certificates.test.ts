import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { certifiedKey } from "../../src/host/certificates";
import { connect } from "../../src/host/connection";
import { resolveTarget, type Inventory } from "../../src/host/target";

// Certificates of hosts as ssh-keygen makes them.

let folder: string;
const at = (name: string) => join(folder, name);
const read = (name: string) =>
  readFileSync(at(name), "utf8").split(" ").slice(0, 2).join(" ").trim();
const keygen = (...argv: string[]) => execFileSync("ssh-keygen", ["-q", ...argv]);

const KINDS: readonly (readonly [type: string, bits: string])[] = [
  ["ed25519", "256"],
  ["rsa", "2048"],
  ["ecdsa", "256"],
  ["ecdsa", "384"],
  ["ecdsa", "521"],
];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "pgherd-certificates-"));
  for (const [type, bits] of KINDS) {
    keygen("-t", type, "-b", bits, "-N", "", "-f", at(`ca-${type}-${bits}`));
    keygen("-t", type, "-b", bits, "-N", "", "-f", at(`host-${type}-${bits}`));
  }
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true }));

/** Signs a host's key; returns the certificate. */
function signed(
  options: readonly string[],
  host = "host-ed25519-256",
  ca = "ca-ed25519-256",
): string {
  keygen("-s", at(ca), "-I", "a host", ...options, at(`${host}.pub`));
  return read(`${host}-cert.pub`);
}

const trusting = (ca = "ca-ed25519-256", revoked: readonly string[] = []) => ({
  authorities: [read(`${ca}.pub`)],
  names: ["db1.example.org", "10.89.0.11"],
  revoked: new Set(revoked),
});

test("a key of every type is known by a certificate of an authority of every type", () => {
  for (const [type, bits] of KINDS) {
    for (const [by, size] of KINDS) {
      const host = `host-${type}-${bits}`;
      const ca = `ca-${by}-${size}`;
      const shown = signed(["-h", "-n", "*.example.org"], host, ca);
      expect(certifiedKey(shown, trusting(ca)), `${host} by ${ca}`).toBe(read(`${host}.pub`));
    }
  }
}, 60_000);

test("a certificate of somebody else, for somebody else, or not of today is worth nothing", () => {
  const own = signed(["-h", "-n", "db1.example.org"]);
  expect(() => certifiedKey(own, trusting("ca-rsa-2048"))).toThrow("another authority");
  expect(() => certifiedKey(own, { ...trusting(), names: ["db2"] })).toThrow(
    "it is for db1.example.org, not for db2",
  );
  const key = read("host-ed25519-256.pub").split(" ")[1] as string;
  expect(() => certifiedKey(own, trusting(undefined, [key]))).toThrow("its key is revoked");
  expect(() => certifiedKey(signed(["-n", "db1.example.org"]), trusting())).toThrow(
    "no certificate of a host",
  );
  expect(() => certifiedKey(signed(["-h"]), trusting())).toThrow("it is for nobody");
  const late = signed(["-h", "-n", "*", "-V", "20200101:20210101"]);
  expect(() => certifiedKey(late, trusting())).toThrow("not valid today");
  const early = signed(["-h", "-n", "*", "-V", "29990101:29990201"]);
  expect(() => certifiedKey(early, trusting())).toThrow("not valid today");
});

test("a certificate that somebody has changed is worth nothing, whichever byte it is", () => {
  const shown = signed(["-h", "-n", "db1.example.org"]);
  const [type = "", text = ""] = shown.split(" ");
  const bytes = Buffer.from(text, "base64");
  for (let i = 0; i < bytes.length; i++) {
    const changed = Buffer.from(bytes);
    changed[i] = (changed[i] as number) ^ 1;
    expect(
      () => certifiedKey(`${type} ${changed.toString("base64")}`, trusting()),
      `byte ${i}`,
    ).toThrow();
  }
  expect(() =>
    certifiedKey(`${type} ${bytes.subarray(0, 100).toString("base64")}`, trusting()),
  ).toThrow();
  expect(() => certifiedKey(`${type}`, trusting())).toThrow();
});

test("where known_hosts has an authority alone, a host without a certificate of it is not talked to", async () => {
  const server = createServer((socket) => socket.end());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  writeFileSync(at("known"), `@cert-authority * ${read("ca-ed25519-256.pub")}\n`);
  writeFileSync(
    at("config"),
    `Host *\n  UserKnownHostsFile ${at("known")}\n  IdentityFile ${at("ca-rsa-2048")}\n`,
  );
  const before = process.env.PGHERD_SSH_CONFIG;
  process.env.PGHERD_SSH_CONFIG = at("config");
  try {
    const ssh = { sudo: false, connectTimeout: 2, user: "tester" };
    const stack = { hosts: { db1: { address: "127.0.0.1", port } }, ssh } as unknown as Inventory;
    const target = await resolveTarget(stack, "db1");
    expect(target).toMatchObject({ hostKeys: [], certification: { names: ["db1", "127.0.0.1"] } });
    await expect(connect(target)).rejects.toThrow(
      `db1: expected a certificate of an authority in known_hosts from 127.0.0.1 port ${port}: it shows none.`,
    );
    writeFileSync(
      at("known"),
      `@cert-authority * ${read("ca-ed25519-256.pub")}\n@revoked * ${read("ca-ed25519-256.pub")}\n`,
    );
    await expect(resolveTarget(stack, "db1")).rejects.toThrow("expected a known host key");
  } finally {
    server.close();
    if (before === undefined) delete process.env.PGHERD_SSH_CONFIG;
    else process.env.PGHERD_SSH_CONFIG = before;
  }
});
