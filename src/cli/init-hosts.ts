import { name as hostName } from "../config/blocks/basics";
import { settings as schema } from "../config/schema";
import { UsageError } from "../errors";
import {
  hostNameOf,
  keyOf,
  nameHost,
  namesInSshConfig,
  unknownKeys,
  type NamedHost,
} from "../init/hosts";
import { Refusal } from "../cluster/cluster";
import { say, type Asker } from "./asker";
import { plainTable } from "./table";

/** What `pgherd init` is told of the hosts and the way to them. */
export interface HostOptions {
  readonly host?: readonly string[];
  readonly fingerprint?: readonly string[];
  readonly user?: string;
  readonly identityFile?: string;
}

/** The hosts that are named on the command line, or to whom is asked. @throws UsageError */
export async function hostsOf({ host = [] }: HostOptions, ask: Asker): Promise<NamedHost[]> {
  const known = namesInSshConfig();
  const from = known.length > 0 ? ` In your SSH configuration: ${known.join(" ")}.` : "";
  const said =
    host.length > 0
      ? host
      : (await ask.question(`Hosts, each as NAME=ADDRESS or a name that SSH knows.${from}\n> `))
          .split(/[\s,]+/)
          .filter((one) => one !== "");
  if (said.length === 0) {
    throw new UsageError("expected hosts, got none: pgherd init --host db1=192.0.2.11 --host …");
  }
  for (const one of said) demandName(one);
  const hosts = await Promise.all(said.map(nameHost));
  const names = hosts.map(({ name }) => name);
  const twice = names.find((name, place) => names.indexOf(name) !== place);
  if (twice !== undefined) throw new UsageError(`--host ${twice}: expected each name once.`);
  return hosts;
}

/** How hosts are reached: what was said, and with the defaults. */
interface Ssh {
  readonly own: { readonly user?: string; readonly identityFile?: string; readonly sudo?: boolean };
  readonly whole: ReturnType<typeof schema.shape.ssh.parse>;
}

/** @throws UsageError if what was said is none of a login. */
export function sshOf({ user, identityFile }: HostOptions): Ssh {
  const own = {
    ...(user !== undefined && { user }),
    ...(identityFile !== undefined && { identityFile }),
    // There may be no sudo where nobody else than root logs in.
    ...(user === "root" && { sudo: false }),
  };
  const whole = schema.shape.ssh.safeParse(own);
  if (whole.success) return { own, whole: whole.data };
  const wrong = whole.error.issues.map(({ path: [setting], message }) =>
    setting === "user"
      ? `--user ${user}: expected ${message}.`
      : `--identity-file ${identityFile}: expected ${message}.`,
  );
  throw new UsageError(wrong.join("\n"));
}

/** @throws UsageError if no host of a stack can be called so. */
function demandName(said: string): void {
  const found = hostName.safeParse(hostNameOf(said));
  if (found.success) return;
  throw new UsageError(
    `--host ${said}: expected a NAME for the host, ${found.error.issues[0]?.message}, as in NAME=ADDRESS.`,
  );
}

/** A key that nobody knows is trusted only when somebody has compared it. */
export async function withKeys(
  hosts: readonly NamedHost[],
  ssh: Ssh,
  options: HostOptions,
  ask: Asker,
): Promise<NamedHost[]> {
  const unknown = await unknownKeys(hosts, ssh.whole);
  const told = new Map(
    (options.fingerprint ?? []).map((one) => one.split(/=(.*)/s).slice(0, 2) as [string, string]),
  );
  for (const [name, wanted] of told) {
    const host = hosts.find((one) => one.name === name);
    if (host === undefined)
      throw new UsageError(`--fingerprint ${name}: expected one of the hosts.`);
    // A key that known_hosts trusts already may be another one than the person means.
    const shown = unknown.find((one) => one.name === name) ?? (await keyOf(host, ssh.whole));
    if (shown?.fingerprint === wanted) continue;
    throw new Refusal(name, [
      `it shows ${shown === undefined ? "no key" : `the key ${shown.fingerprint}`}, not ${wanted}. If the fingerprint is right, somebody sits in between.`,
    ]);
  }
  const open = unknown.filter(({ name }) => !told.has(name));
  if (open.length > 0) {
    const table = plainTable(["Host", "Key that it shows"]);
    for (const { name, key, fingerprint } of open)
      table.push([name, `${fingerprint} (${(key.split(" ")[0] ?? "").replace("ssh-", "")})`]);
    say(`${table.toString()}\n\nCompare each with the host's console:\n  ${COMPARE}`);
    await ask.consent("Are these the hosts' own keys?", false);
  }
  return hosts.map((host) => {
    const key = unknown.find(({ name }) => name === host.name)?.key;
    return key === undefined ? host : { ...host, settings: { ...host.settings, hostKey: key } };
  });
}

const COMPARE = "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub";
