import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ConnectError } from "../../src/errors";
import { Host } from "../../src/host/host";
import { guarded } from "../../src/host/lock";
import { strict } from "../../src/host/shell";
import { KEEPALIVE } from "../../src/host/target";
import { keyPair } from "../keys";
import { startSshServer, type SshServer, type SshServerOptions } from "../tools/ssh-server";

// The lock of a host, with real shells and real locks; the host's /run/pgherd is a folder of this machine.

let folder: string;
let run: string;
let server: SshServer | undefined;
let hosts: Host[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "pgherd-lock-"));
  run = join(folder, "run");
  hosts = [];
});

afterEach(async () => {
  for (const host of hosts) host.close();
  await server?.close();
});

/** Runs on one host, each with a connection of its own. */
async function runsOn(
  options: SshServerOptions = {},
  connectTimeoutSeconds = 30,
): Promise<(owner: string) => Host> {
  const keys = keyPair();
  const identityFile = join(folder, "id");
  writeFileSync(identityFile, keys.private, { mode: 0o600 });
  const told = (text: string) => inFolder(text);
  const started = await startSshServer(
    { name: "tester", publicKey: keys.public },
    { told, ...options },
  );
  server = started;
  return (owner) => {
    const host = new Host(
      "db1",
      () => ({
        ...{ name: "db1", address: "127.0.0.1", port: started.port, user: "tester" },
        ...{ identities: { files: [identityFile], only: true }, keepalive: KEEPALIVE },
        ...{ hostKeys: [started.hostKey], sudo: false, connectTimeoutSeconds },
      }),
      owner,
    );
    hosts.push(host);
    return host;
  };
}

const inFolder = (text: string) => text.replaceAll("/run/pgherd", run);

/** Ends the process that holds the lock on the host, as its silence does. */
const endHolder = () => execFileSync("fuser", ["-sk", join(run, "lock")], { stdio: "ignore" });

test("a change runs under the lock, and another run is refused meanwhile", async () => {
  const of = await runsOn();
  expect(await of("anna").change("changing", "echo done")).toBe("done\n");
  await expect(of("bert").change("changing", "echo done")).rejects.toThrow(
    "db1: is being changed by another run: anna.",
  );
});

test("the lock is held whatever the login shell makes of quotes and lines", async () => {
  const shell = join(folder, "csh");
  // As csh: a quote does not go over a line's end, and what it prints at its start comes first.
  writeFileSync(
    shell,
    `#!/bin/sh\necho welcome; echo welcome >&2\ncase $2 in *"'"* | *"\n"*) echo "Unmatched '''." >&2; exit 1 ;; esac\nexec /bin/sh -c "$2"\n`,
    { mode: 0o755 },
  );
  const of = await runsOn({ shell });
  expect(await of("anna").change("changing", "echo done")).toBe("done\n");
  expect(spawnSync("flock", ["-n", join(run, "lock"), "true"]).status).toBe(1);
  await expect(of("bert").change("changing", "echo done")).rejects.toThrow("another run: anna");
});

test("a run that has lost the lock changes nothing more, even where nobody else has taken it", async () => {
  const of = await runsOn();
  const host = of("anna");
  await host.change("changing", "echo first");
  endHolder();
  await expect(host.change("changing", `touch ${folder}/second`)).rejects.toThrow(
    /db1: this run has lost the host's lock: this machine slept, or the connection broke[^]*Run the same command again/,
  );
  expect(existsSync(join(folder, "second"))).toBe(false);
  expect(await host.run("looking", "echo still asked")).toBe("still asked\n");
});

test("a run whose connection broke changes nothing more, although it can connect again", async () => {
  const of = await runsOn();
  const host = of("anna");
  await host.change("changing", "echo first");
  server?.cut();
  await sleep(100);
  expect(await host.run("looking", "echo there again")).toBe("there again\n");
  await expect(host.change("changing", "echo second")).rejects.toThrow("has lost the host's lock");
});

test("a lock that is another's, or nobody's, lets no change begin, as the host itself finds", () => {
  mkdirSync(run);
  const token = "0123456789abcdef";
  const tried = (held: boolean, stored: string) => {
    writeFileSync(join(run, "lock.token"), `${stored}\n`);
    const script = strict(inFolder(guarded(token, "echo changed")));
    const [program, ...words] = held ? ["flock", join(run, "lock"), "/bin/sh", "-s"] : ["/bin/sh"];
    return spawnSync(program as string, words, { input: script, encoding: "utf8" });
  };
  expect(tried(true, token).stdout).toBe("changed\n");
  expect(tried(true, "of another run")).toMatchObject({ status: 79, stdout: "" });
  expect(tried(false, token)).toMatchObject({ status: 79, stdout: "" });
  rmSync(join(run, "lock.token"));
  expect(tried(true, "")).toMatchObject({ status: 79, stdout: "" });
});

test("a change that a lost run has left is waited for, and none of its others begins after that", async () => {
  const of = await runsOn();
  const anna = of("anna");
  await anna.change("changing", "echo first");
  const log = join(folder, "log");
  const long = anna.change("changing", `sleep 2; echo anna >>${log}`);
  await sleep(500);
  endHolder();
  await of("bert").change("changing", `echo bert >>${log}`);
  await long;
  await expect(anna.change("changing", `echo late >>${log}`)).rejects.toThrow("has lost");
  expect(readFileSync(log, "utf8")).toBe("anna\nbert\n");
});

test("a host that takes connections and begins no command is given up in time", async () => {
  const of = await runsOn({ begins: false }, 2);
  const started = Date.now();
  const [asked, changed] = await Promise.allSettled([
    of("anna").run("looking", "echo here"),
    of("bert").change("changing", "echo done"),
  ]);
  for (const one of [asked, changed]) {
    const { reason } = one as PromiseRejectedResult;
    expect(reason).toBeInstanceOf(ConnectError);
    expect((reason as Error).message).toMatch(/to answer within 2 seconds, got: no answer/);
  }
  expect(Date.now() - started).toBeLessThan(15_000);
});

test("a login shell that waits for an answer is given up in time, with what it asked, and runs nothing later", async () => {
  const shell = join(folder, "asking");
  const asks = `#!/bin/sh\necho 'Your token, please:'; sleep 4; exec /bin/sh -c "$2"\n`;
  writeFileSync(shell, asks, { mode: 0o755 });
  const of = await runsOn({ shell }, 2);
  await expect(of("anna").run("looking", `touch ${folder}/later`)).rejects.toThrow(
    /within 2 seconds, got: Your token, please:[^]*sudo must not ask/,
  );
  await sleep(3000);
  expect(existsSync(join(folder, "later"))).toBe(false);
});

test.each([1, 2])(
  "a host that takes %i session(s) on a connection is asked one thing after the other, and its lock is held",
  async (maxSessions) => {
    const of = await runsOn({ maxSessions });
    const anna = of("anna");
    const asked = [1, 2, 3].map((n) => anna.run("looking", `sleep 0.1; echo ${n}`));
    expect(await Promise.all(asked)).toEqual(["1\n", "2\n", "3\n"]);
    const changed = [1, 2].map((n) => anna.change("changing", `echo ${n}`));
    expect(await Promise.all(changed)).toEqual(["1\n", "2\n"]);
    await expect(of("bert").change("changing", "echo done")).rejects.toThrow("another run: anna");
    // A run that changes something first has a session left for that.
    anna.close();
    const first = of("clara");
    await expect.poll(() => spawnSync("flock", ["-n", join(run, "lock"), "true"]).status).toBe(0);
    expect(await first.change("changing", "echo done")).toBe("done\n");
    expect(await first.run("looking", "echo on")).toBe("on\n");
  },
);

test("a host that takes no session is told of by that name", async () => {
  const of = await runsOn({ maxSessions: 0 }, 1);
  await expect(of("anna").run("looking", "echo on")).rejects.toThrow(
    /db1: expected a session, got .*\nLook at MaxSessions in sshd_config/,
  );
});

test.each([
  ["sudo: sorry, you must have a tty to run sudo", /without a terminal[^]*requiretty/],
  ["sudo: a password is required", /without a password[^]*NOPASSWD/],
  ["This account is currently not available.", /login shell[^]*not available[^]*runs commands/],
])("a login that ends with %j is told what to do", async (said, message) => {
  const shell = join(folder, "refusing");
  writeFileSync(shell, `#!/bin/sh\necho '${said}' >&2; exit 1\n`, { mode: 0o755 });
  const of = await runsOn({ shell });
  await expect(of("anna").change("changing", "echo done")).rejects.toThrow(message);
  expect(existsSync(join(run, "lock"))).toBe(false);
});
