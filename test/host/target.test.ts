import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { createHmac } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { connect } from "../../src/host/connection";
import { expandCommand } from "../../src/host/tokens";
import { resolveTarget, type Inventory } from "../../src/host/target";
import { keyPair } from "../keys";
import { startSshServer, type SshServer } from "../tools/ssh-server";

// How hosts are reached by a user's SSH configuration, with OpenSSH's own client, agent and keys.

let folder: string;
let server: SshServer;
let agent: ChildProcess;
let socket: string;

/** A key with a passphrase, which the agent holds, and one that nobody holds. */
const held = () => join(folder, "held");
const lone = () => join(folder, "lone");
/** A key without one. */
const plain = () => join(folder, "plain");

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "pgherd-target-"));
  socket = join(folder, "agent");
  agent = spawn("ssh-agent", ["-D", "-a", socket], { stdio: "ignore" });
  const keygen = (file: string, passphrase: string) =>
    execFileSync("ssh-keygen", [
      "-q",
      "-t",
      "ed25519",
      "-N",
      passphrase,
      "-C",
      "a key",
      "-f",
      file,
    ]);
  keygen(held(), "secret");
  keygen(lone(), "secret");
  const asking = join(folder, "askpass");
  writeFileSync(asking, "#!/bin/sh\necho secret\n", { mode: 0o700 });
  execFileSync("ssh-add", ["-q", held()], {
    env: {
      ...process.env,
      SSH_AUTH_SOCK: socket,
      SSH_ASKPASS: asking,
      SSH_ASKPASS_REQUIRE: "force",
      DISPLAY: ":0",
    },
    stdio: "ignore",
  });
  const keys = keyPair();
  writeFileSync(plain(), keys.private, { mode: 0o600 });
  const accepted = execFileSync("cat", [`${held()}.pub`], { encoding: "utf8" });
  server = await startSshServer({ name: "tester", publicKey: accepted });
});

afterAll(async () => {
  await server.close();
  agent.kill();
  rmSync(folder, { recursive: true });
});

const before = { ...process.env };
beforeEach(() => {
  process.env.PGHERD_SSH_CONFIG = join(folder, "config");
  process.env.SSH_AUTH_SOCK = socket;
});
afterEach(() => {
  process.env = { ...before };
});

/** A user's configuration; `@` is the folder of its files. */
function configured(text: string, files: { [name: string]: string } = {}): void {
  const placed = (content: string) => content.replaceAll("@/", `${folder}/`);
  writeFileSync(join(folder, "config"), placed(text));
  for (const [name, content] of Object.entries(files))
    writeFileSync(join(folder, name), placed(content));
}

const ssh = { sudo: false, connectTimeout: 10 };

function inventory(of: Partial<Inventory["ssh"]> = {}, host: object = {}): Inventory {
  return { hosts: { db1: { address: "127.0.0.1", ...host } }, ssh: { ...ssh, ...of } } as Inventory;
}

/** The stack's own settings for the server of these tests. */
const here = () => ({ port: server.port, user: "tester", hostKey: server.hostKey });

/** Logs in, and out again. */
async function logsIn(stack: Inventory): Promise<void> {
  const connection = await connect(await resolveTarget(stack, "db1"));
  connection.close();
}

const KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBOLD";
const OTHER = "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYOTHER";

test("what the stack leaves out is as OpenSSH says it: Include, Match, several files of known hosts", async () => {
  const salt = Buffer.from("0123456789abcdef0123");
  const digest = createHmac("sha1", salt).update("[127.0.0.1]:2222").digest("base64");
  configured(
    'Include @/more\nMatch user anna\n  Port 2222\nHost *\n  UserKnownHostsFile "@/first" @/a\\ b\n  GlobalKnownHostsFile "@/a b" @/global\n',
    {
      more: "Host db1\n  User anna\n  IdentityFile @/%n-%r\nHost 127.0.0.1\n  ServerAliveInterval 20\n",
      first: `[db1]:2222 ${KEY}\n`,
      global: `|1|${salt.toString("base64")}|${digest} ${OTHER}\n`,
    },
  );
  const target = await resolveTarget(inventory(), "db1");
  expect(target).toMatchObject({
    ...{ user: "anna", port: 2222, address: "127.0.0.1", hostKeys: [KEY, OTHER] },
    identities: { files: [join(folder, "db1-anna")], agent: socket, only: false },
    keepalive: { seconds: 20, count: 3 },
  });
  // The stack's own settings come first, and `Match user` knows them.
  const own = await resolveTarget(inventory({}, { user: "bert", hostKey: KEY }), "db1");
  expect(own).toMatchObject({ user: "bert", port: 22, hostKeys: [KEY] });
});

test("the time for a connection is the stack's, else that of the SSH configuration, else ten seconds", async () => {
  const ssh = { sudo: false };
  const stack = { hosts: { db1: { address: "127.0.0.1", hostKey: KEY } }, ssh };
  configured("Host db1\n  ConnectTimeout 40\n");
  expect(await resolveTarget(stack, "db1")).toMatchObject({ connectTimeoutSeconds: 40 });
  const own = { ...stack, ssh: { ...ssh, connectTimeout: 15 } };
  expect(await resolveTarget(own, "db1")).toMatchObject({ connectTimeoutSeconds: 15 });
  configured("Host db1\n  ConnectTimeout 1m30s\n");
  expect(await resolveTarget(stack, "db1")).toMatchObject({ connectTimeoutSeconds: 90 });
  configured("Host db1\n  ConnectTimeout none\n");
  expect(await resolveTarget(stack, "db1")).toMatchObject({ connectTimeoutSeconds: 10 });
});

test("a refused login names the certificates that OpenSSH would have shown", async () => {
  configured("Host *\n  IdentityFile @/plain\n  CertificateFile @/by-the-office\n", {
    "by-the-office": "ssh-ed25519-cert-v01@openssh.com AAAA\n",
    "plain-cert.pub": "ssh-ed25519-cert-v01@openssh.com AAAA\n",
  });
  delete process.env.SSH_AUTH_SOCK;
  const refused = logsIn(inventory({}, here()));
  await expect(refused).rejects.toThrow(
    `${join(folder, "by-the-office")}: a certificate (CertificateFile), which pgherd cannot show.`,
  );
  await expect(refused).rejects.toThrow(`${join(folder, "plain-cert.pub")}: a certificate`);
});

test("a file of known hosts may have a blank in its name", async () => {
  configured('Host *\n  UserKnownHostsFile "@/known hosts" /none\n  GlobalKnownHostsFile none\n', {
    "known hosts": `db1 ${KEY}\n`,
  });
  expect(await resolveTarget(inventory(), "db1")).toMatchObject({ hostKeys: [KEY] });
});

test("HostKeyAlias is the name in known_hosts, whatever the port", async () => {
  configured("Host db1\n  HostKeyAlias blue\n  Port 2222\n  UserKnownHostsFile @/known\n", {
    known: `blue ${KEY}\n[127.0.0.1]:2222 ${OTHER}\n`,
  });
  expect(await resolveTarget(inventory(), "db1")).toMatchObject({ hostKeys: [KEY] });
});

test("a host whose port is in no file is known by its name alone, unless that key is revoked there", async () => {
  configured(
    "Host db1\n  Port 2222\n  UserKnownHostsFile @/known\n  GlobalKnownHostsFile /none\n",
    {
      known: `db1 ${KEY}\n`,
    },
  );
  expect(await resolveTarget(inventory(), "db1")).toMatchObject({ hostKeys: [KEY] });
  writeFileSync(join(folder, "known"), `db1 ${KEY}\n@revoked [db1]:2222 ${KEY}\n`);
  await expect(resolveTarget(inventory(), "db1")).rejects.toThrow("expected a known host key");
});

test("keys that cannot be checked are passed over where another one can, and else named", async () => {
  const sk = "sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29t";
  configured("Host *\n  UserKnownHostsFile @/known\n  GlobalKnownHostsFile /none\n", {
    known: `db1 ${sk}\ndb1 ssh-new AAAA\ndb1 ${KEY}\n`,
  });
  expect((await resolveTarget(inventory(), "db1")).hostKeys).toContain(KEY);
  configured("Host *\n  UserKnownHostsFile @/known\n  GlobalKnownHostsFile /none\n", {
    known: `db1 ${sk}\n`,
  });
  await expect(resolveTarget(inventory(), "db1")).rejects.toThrow(
    /db1: expected a host key of a type that can be checked .*, found only sk-ssh-ed25519@openssh\.com in .*\/known/,
  );
});

test("a revoked key is none, whichever file says so", async () => {
  configured("Host *\n  UserKnownHostsFile @/known\n  GlobalKnownHostsFile @/global\n", {
    known: `db1 ${KEY}\ndb1 ${OTHER}\n`,
    global: `@revoked * ${KEY}\n`,
  });
  expect(await resolveTarget(inventory(), "db1")).toMatchObject({ hostKeys: [OTHER] });
  configured(
    "Host *\n  UserKnownHostsFile @/known\n  RevokedHostKeys @/revoked\n  GlobalKnownHostsFile /none\n",
    {
      revoked: `${OTHER} old\n`,
    },
  );
  expect(await resolveTarget(inventory(), "db1")).toMatchObject({ hostKeys: [KEY] });
});

test("a configuration that OpenSSH cannot read is told with its words", async () => {
  configured("Host *\n  NoSuchThing yes\n");
  await expect(resolveTarget(inventory(), "db1")).rejects.toThrow(
    /db1: the SSH configuration cannot be read: .*nosuchthing[^]*Mend it until `ssh -G HOST` prints it/i,
  );
});

test("without OpenSSH's client the file is read all the same, and what only that follows is named", async () => {
  process.env.PATH = folder;
  configured('Host 127.0.0.1\n  User anna\n  UserKnownHostsFile "@/known"\n', {
    known: `db1 ${KEY}\n`,
  });
  expect(await resolveTarget(inventory(), "db1")).toMatchObject({ user: "anna", hostKeys: [KEY] });
  configured("Host x\n  Port 1\n  Include @/more\n");
  await expect(resolveTarget(inventory(), "db1")).rejects.toThrow(
    /has "Include .*more", which only OpenSSH's own client follows[^]*install OpenSSH's client/,
  );
});

test("a key with a passphrase is used by the agent that holds it, and so is one of which only the public half is there", async () => {
  configured("");
  for (const identityFile of [held(), `${held()}.pub`]) {
    await logsIn(inventory({ identityFile }, here()));
  }
  configured("Host db1\n  IdentityFile @/held\n  IdentitiesOnly yes\n");
  await logsIn(inventory({}, here()));
  // Without its public half beside it, the key's own head tells which one it is.
  mkdirSync(join(folder, "alone"), { recursive: true });
  execFileSync("cp", [held(), join(folder, "alone/key")]);
  await logsIn(inventory({ identityFile: join(folder, "alone/key") }, here()));
});

test("the agent's other keys are tried where nothing forbids it", async () => {
  configured("Host db1\n  IdentityFile @/plain\n");
  await logsIn(inventory({}, here()));
  configured("Host db1\n  IdentityFile @/plain\n  IdentitiesOnly yes\n");
  await expect(logsIn(inventory({}, here()))).rejects.toThrow(
    `db1: tester@127.0.0.1 port ${server.port} refused the login: no key is accepted of ${plain()}.`,
  );
  configured(`Host db1\n  IdentityFile @/plain\n  IdentityAgent none\n`);
  await expect(logsIn(inventory({}, here()))).rejects.toThrow("no key is accepted of");
  delete process.env.SSH_AUTH_SOCK;
  configured(`Host db1\n  IdentityFile @/plain\n  IdentityAgent @/agent\n`);
  await logsIn(inventory({}, here()));
});

test("a key that cannot be used is named, with what would help", async () => {
  configured("");
  await expect(logsIn(inventory({ identityFile: lone() }, here()))).rejects.toThrow(
    new RegExp(
      `${lone()}: it has a passphrase, and the SSH agent does not hold it[^]*ssh-add FILE`,
    ),
  );
  await expect(logsIn(inventory({ identityFile: `${lone()}.pub` }, here()))).rejects.toThrow(
    "it is a public key, and the SSH agent does not hold the private one",
  );
  await expect(logsIn(inventory({ identityFile: join(folder, "none") }, here()))).rejects.toThrow(
    /none: ENOENT/,
  );
  process.env.SSH_AUTH_SOCK = join(folder, "gone");
  await expect(logsIn(inventory({ identityFile: held() }, here()))).rejects.toThrow(
    /the SSH agent at .*gone: /,
  );
});

test("ProxyCommand leads to the host, and what it says is told where it does not", async () => {
  const nc = `${process.execPath} -e 'const s=require("net").connect(process.argv[2],process.argv[1]);process.stdin.pipe(s).pipe(process.stdout)' %h %p`;
  configured(`Host db1\n  ProxyCommand ${nc}\n`);
  expect(await resolveTarget(inventory({}, here()), "db1")).toMatchObject({
    proxyCommand: expect.stringContaining(`' 127.0.0.1 ${server.port}`) as string,
  });
  await logsIn(inventory({}, here()));
  configured("Host db1\n  ProxyCommand echo 'no way for %r' >&2; exit 1\n");
  await expect(logsIn(inventory({}, here()))).rejects.toThrow(
    /cannot be reached through the SSH configuration's ProxyCommand: no way for tester/,
  );
  // A name becomes no command.
  await expect(logsIn(inventory({}, { ...here(), user: "x;touch /tmp/never" }))).rejects.toThrow(
    /expected a plain word for %r of ProxyCommand|username contains invalid characters/,
  );
  // The stack's own way comes first.
  await logsIn(inventory({ proxyJump: "none" }, here()));
});

test("what names a host stays one word of a command, and nothing of it becomes an option", () => {
  const tokens = { name: "db1", address: "fd00::1%eth0", port: 22, user: "anna" };
  expect(expandCommand("nc %h %p # 100%% of %r@%n", tokens)).toBe(
    "nc fd00::1%eth0 22 # 100% of anna@db1",
  );
  for (const user of ["$(id)", "a b", "-oProxyCommand=id", "a'b", "a`id`", "", "a\nb"]) {
    expect(() => expandCommand("nc %r", { ...tokens, user })).toThrow(
      "expected a plain word for %r",
    );
  }
});

test("jump hosts are passed one after the other, each with its own configuration", async () => {
  configured(
    "Host gate\n  HostName 127.0.0.1\n  HostKeyAlias gate\n  User tester\n  Port 1\n" +
      "Host inner\n  HostName 10.0.0.9\n  UserKnownHostsFile @/known\n  ProxyJump gate\n" +
      "Host db1\n  ProxyJump anna@inner:2022\nHost *\n  UserKnownHostsFile @/known\n",
    { known: `gate ${KEY}\n[10.0.0.9]:2022 ${OTHER}\n` },
  );
  const target = await resolveTarget(inventory({}, here()), "db1");
  expect(target.jump).toMatchObject({
    address: "10.0.0.9",
    port: 2022,
    user: "anna",
    hostKeys: [OTHER],
  });
  expect(target.jump?.jump).toMatchObject({ address: "127.0.0.1", port: 1, user: "tester" });
  const listed = await resolveTarget(
    inventory({ proxyJump: "gate,anna@inner:2022" }, here()),
    "db1",
  );
  expect(listed.jump).toEqual(target.jump);
  configured(
    "Host a\n  ProxyJump b\nHost b\n  ProxyJump a\nHost *\n  UserKnownHostsFile @/known\n",
    {
      known: `a,b ${KEY}\n`,
    },
  );
  await expect(resolveTarget(inventory({ proxyJump: "a" }, here()), "db1")).rejects.toThrow(
    "leads through a through b through a, which never ends",
  );
});

test("a host of the stack is no property of all objects, and one that nobody named is told", async () => {
  configured("");
  await expect(resolveTarget(inventory(), "constructor")).rejects.toThrow(
    "no such host in pgherd:hosts",
  );
  await expect(resolveTarget(inventory({ knownHosts: "/none" }), "db1")).rejects.toThrow(
    /expected a known host key for 127\.0\.0\.1, found none in pgherd:hosts\.db1\.hostKey or \/none/,
  );
});
