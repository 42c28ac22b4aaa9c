import { lookup } from "node:dns/promises";
import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { homedir, userInfo } from "node:os";
import { join } from "node:path";
import SSHConfig from "ssh-config";
import type { HostSettings, SshSettings } from "../config/schema";
import { ANY_HOST } from "../distributions/distributions";
import { ConnectError, PgherdError, UsageError } from "../errors";
import { surroundingsProbe } from "../facts/candidate";
import { hostProbe } from "../facts/host";
import { Host } from "../host/host";
import { fingerprint, shownKey } from "../host/key-scan";
import { sshConfigFor } from "../host/ssh-config";
import { connectSeconds, resolveTarget } from "../host/target";
import type { Candidate } from "./roles";

/** A host as the stack is going to name it. */
export interface NamedHost {
  readonly name: string;
  readonly settings: HostSettings;
}

/** The key that a host shows to whoever connects, trusted or not. */
interface ShownKey {
  readonly name: string;
  readonly key: string;
  /** `SHA256:…` */
  readonly fingerprint: string;
}

/** The names that `~/.ssh/config` gives to single hosts; what it includes is not looked into. */
export function namesInSshConfig(): string[] {
  const file = process.env.PGHERD_SSH_CONFIG ?? join(homedir(), ".ssh/config");
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch {
    // It is only for a suggestion.
    return [];
  }
  const names = SSHConfig.parse(text).flatMap((line) => {
    if (!("param" in line) || line.param.toLowerCase() !== "host") return [];
    const values = [line.value].flat().map((one) => (typeof one === "string" ? one : one.val));
    return values.filter((name) => /^[\w.-]+$/.test(name));
  });
  return [...new Set(names)];
}

/** The name that a stack gives to a host of which this was said, whether a stack can have it or not. */
export function hostNameOf(text: string): string {
  return ((text.split("=")[0] ?? "").split(".")[0] ?? "").toLowerCase().replaceAll("_", "-");
}

/**
 * A host from `NAME=ADDRESS`, or from a name that the SSH configuration or DNS knows.
 * @throws UsageError if it is neither.
 */
export async function nameHost(text: string): Promise<NamedHost> {
  const [alias = "", said] = text.split("=");
  const name = hostNameOf(text);
  const config = said === undefined ? await sshConfigFor(alias, [alias]) : undefined;
  const where = said ?? config?.first("hostname") ?? alias;
  const address = isIP(where) ? where : await resolved(text, where);
  // What is known of it by another name than that of the stack would not be found any more.
  const elsewhere = config !== undefined && name !== alias;
  const port = Number(config?.first("port") ?? 22);
  const user = config?.first("user");
  const proxyJump = config?.first("proxyjump");
  return {
    name,
    settings: {
      address,
      ...(elsewhere && port !== 22 && { port }),
      ...(elsewhere && user && user !== userInfo().username && { user }),
      ...(elsewhere && proxyJump && proxyJump !== "none" && { proxyJump }),
    },
  };
}

async function resolved(text: string, where: string): Promise<string> {
  try {
    // The C library takes 10.0.0 for 10.0.0.0.
    if (/^[\d.]*$/.test(where)) throw new Error("no address");
    return (await lookup(where)).address;
  } catch {
    throw new UsageError(
      `--host ${text}: expected NAME=ADDRESS, or a name of your SSH configuration or DNS; nobody knows ${where}.`,
    );
  }
}

/** Those of the hosts whose key nobody knows, with the one that they show. @throws ConnectError for a silent one */
export async function unknownKeys(
  hosts: readonly NamedHost[],
  ssh: SshSettings,
): Promise<ShownKey[]> {
  const inventory = inventoryOf(hosts, ssh);
  const found = await Promise.all(
    hosts.map(async ({ name, settings }) => {
      try {
        await resolveTarget(inventory, name);
        return [];
      } catch (error) {
        if (!(error instanceof ConnectError)) throw error;
        const shown = await keyOf({ name, settings }, ssh);
        if (shown === undefined) throw error;
        return [shown];
      }
    }),
  );
  return found.flat();
}

/** The key that a host shows; nothing where it shows none. */
export async function keyOf(
  { name, settings }: NamedHost,
  ssh: SshSettings,
): Promise<ShownKey | undefined> {
  const config = await sshConfigFor(name, [name, settings.address]);
  const port = settings.port ?? ssh.port ?? Number(config.first("port") ?? 22);
  const key = await shownKey(settings.address, port, connectSeconds(ssh, config));
  return key === undefined ? undefined : { name, key, fingerprint: fingerprint(key) };
}

/** Looks at all hosts at once, and changes nothing. @throws PgherdError with what is wrong with every host that does not answer */
export async function look(
  hosts: readonly NamedHost[],
  ssh: SshSettings,
): Promise<{ candidates: Candidate[]; hosts: NamedHost[] }> {
  const inventory = inventoryOf(hosts, ssh);
  const seen = await Promise.allSettled(
    hosts.map(async ({ name, settings }) => {
      const target = await resolveTarget(inventory, name);
      const host = new Host(name, () => target, "pgherd init");
      try {
        const question = { dataDirectory: ANY_HOST.homes.postgres };
        const [facts, around] = await Promise.all([
          host.observe(hostProbe(question)),
          host.observe(surroundingsProbe),
        ]);
        const { address } = settings;
        const hostKey = settings.hostKey ?? target.hostKeys[0];
        return {
          candidate: { name, address, facts, ...around },
          host: { name, settings: { ...settings, ...(hostKey && { hostKey }) } },
        };
      } finally {
        host.close();
      }
    }),
  );
  const problems = seen.flatMap((one) =>
    one.status === "rejected" ? [(one.reason as Error).message] : [],
  );
  if (problems.length > 0) throw new PgherdError(problems.join("\n"), "Nothing was written.");
  const done = seen.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  return { candidates: done.map((one) => one.candidate), hosts: done.map((one) => one.host) };
}

function inventoryOf(hosts: readonly NamedHost[], ssh: SshSettings) {
  return { hosts: Object.fromEntries(hosts.map(({ name, settings }) => [name, settings])), ssh };
}
