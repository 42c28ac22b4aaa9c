import { randomBytes } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import type { HostPaths, LabPaths } from "./paths";
import { run } from "./run";
import { PREFIX_LENGTH, PREFIX_LENGTH6, type HostAddress } from "./topology";

/** Uid and gid of the `deploy` user in the base trees (tools/setup-lab). */
const DEPLOY = 1000;

/** Makes the key pair of the hosts' `deploy` user, unless it is there. Returns the public key. */
export async function ensureDeployKey(paths: LabPaths): Promise<string> {
  if (!fs.existsSync(paths.key)) await makeKey(paths.key, "deploy");
  return fs.readFileSync(`${paths.key}.pub`, "utf8");
}

/** Makes what tells one host from another, unless it is there. Returns its public SSH host key. */
export async function ensureIdentity(
  paths: HostPaths,
  host: HostAddress,
  deployKey: string,
): Promise<string> {
  if (!fs.existsSync(paths.identity)) {
    const scratch = `${paths.identity}.new`;
    fs.rmSync(scratch, { recursive: true, force: true });
    await writeIdentity(scratch, host, deployKey);
    fs.renameSync(scratch, paths.identity);
  }
  const publicKey = fs.readFileSync(path.join(paths.identity, HOST_KEY_FILE + ".pub"), "utf8");
  return publicKey.split(" ").slice(0, 2).join(" ");
}

/** The systemd-networkd file of a host. Its name must sort before systemd's own 80-container-host0.network. */
function renderNetwork(host: HostAddress): string {
  // A cable that is pulled must not take the address away: Debian's own ifupdown does not do so either.
  return `[Match]
Name=host0

[Network]
LinkLocalAddressing=ipv6
IPv6AcceptRA=no
ConfigureWithoutCarrier=yes
IgnoreCarrierLoss=yes
KeepConfiguration=yes

[Address]
Address=${host.address}/${PREFIX_LENGTH}

[Address]
Address=${host.address6}/${PREFIX_LENGTH6}
DuplicateAddressDetection=none
`;
}

const HOST_KEY_FILE = "etc/ssh/ssh_host_ed25519_key";

async function writeIdentity(root: string, host: HostAddress, deployKey: string): Promise<void> {
  const write = (file: string, content: string, mode = 0o644) => {
    fs.mkdirSync(path.dirname(path.join(root, file)), { recursive: true, mode: 0o755 });
    fs.writeFileSync(path.join(root, file), content, { mode });
  };
  write("etc/hostname", `${host.name}\n`);
  write("etc/hosts", `127.0.0.1\tlocalhost\n::1\tlocalhost\n127.0.1.1\t${host.name}\n`);
  write("etc/machine-id", `${randomBytes(16).toString("hex")}\n`, 0o444);
  write("etc/systemd/network/10-host0.network", renderNetwork(host));
  fs.mkdirSync(path.join(root, path.dirname(HOST_KEY_FILE)), { mode: 0o755 });
  await makeKey(path.join(root, HOST_KEY_FILE), host.name);
  write("home/deploy/.ssh/authorized_keys", deployKey, 0o600);
  fs.chmodSync(path.join(root, "home/deploy"), 0o700);
  fs.chmodSync(path.join(root, "home/deploy/.ssh"), 0o700);
  for (const file of ["home/deploy", "home/deploy/.ssh", "home/deploy/.ssh/authorized_keys"])
    fs.chownSync(path.join(root, file), DEPLOY, DEPLOY);
}

async function makeKey(file: string, comment: string): Promise<void> {
  for (const half of [file, `${file}.pub`]) fs.rmSync(half, { force: true });
  await run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", file]);
}
