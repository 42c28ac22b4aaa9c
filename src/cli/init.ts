import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { createInterface } from "node:readline/promises";
import { Command, InvalidArgumentError } from "commander";
import pc from "picocolors";
import { parseSettings } from "../config/parse";
import { settings as schema } from "../config/schema";
import { PgherdError, UsageError } from "../errors";
import {
  keyOf,
  look,
  nameHost,
  namesInSshConfig,
  unknownKeys,
  type NamedHost,
} from "../init/hosts";
import { isProject, projectFiles, stackSettings, stackText, type NewFile } from "../init/project";
import {
  proposeRoles,
  remarks,
  wrongWishes,
  type Candidate,
  type Roles,
  type Wishes,
} from "../init/roles";
import { Refusal } from "../cluster/cluster";
import { sizeOf } from "../operations/words";
import { packageRoot } from "../package-root";
import { wrapped } from "./ask";
import { stackPath } from "./project";
import { plainTable } from "./table";

interface InitOptions {
  readonly host?: readonly string[];
  readonly fingerprint?: readonly string[];
  readonly stack: string;
  readonly name?: string;
  readonly user?: string;
  readonly identityFile?: string;
  readonly members?: readonly string[];
  readonly dcs?: readonly string[];
  readonly balancers?: readonly string[];
  readonly backup?: string;
  readonly vip?: string;
  readonly yes?: boolean;
  readonly json?: boolean;
}

/** `pgherd init`: from a list of hosts to a project with a stack that validates. */
export function initCommand(): Command {
  const several = (value: string, before: readonly string[] = []) => [...before, value];
  return new Command("init")
    .description("Looks at your hosts, and writes a project with a stack for them.")
    .argument("[dir]", "folder of the project; one that is there gets another stack", ".")
    .option("--host <name[=address]>", "a host; again for each one", several, [])
    .option(
      "--fingerprint <name=SHA256:…>",
      "of a host's key, so that nobody is asked",
      several,
      [],
    )
    .option("-s, --stack <stack>", "name of the stack", "main")
    .option("--name <cluster>", "name of the cluster (default: the folder's, or the stack's)")
    .option("--user <user>", "who logs in (default: as your SSH configuration says)")
    .option("--identity-file <file>", "the private key (default: as your SSH configuration says)")
    .option("--members <hosts>", "hosts that hold the data, with commas", list)
    .option("--dcs <hosts>", "hosts that vote on who leads", list)
    .option("--balancers <hosts>", "hosts with HAProxy", list)
    .option("--backup <host>", "host that keeps the backups")
    .option("--vip <address>", "virtual IP of the balancers")
    .option("-y, --yes", "do not ask; keys of hosts must be known then")
    .option("--json", "print what was found and written")
    .addHelpText("after", HELP)
    .action(init);
}

async function init(dir: string, options: InitOptions): Promise<void> {
  const folder = resolve(dir);
  if (!STACK_NAME.test(options.stack)) {
    throw new UsageError(
      `--stack ${options.stack}: expected letters, digits, ".", "_" and "-", as Pulumi names stacks.`,
    );
  }
  const file = stackPath(folder, options.stack);
  if (existsSync(file)) {
    throw new UsageError(`${file} is there already. Name another stack with --stack, or edit it.`);
  }
  if (existsSync(join(folder, "Pulumi.yaml")) && !isProject(folder)) {
    throw new UsageError(
      `${join(folder, "Pulumi.yaml")} is another project's. Give pgherd a folder of its own: pgherd init DIR`,
    );
  }
  const ask = asker(options.yes ?? false);
  try {
    const named = await hostsOf(options, ask);
    const ssh = sshOf(options);
    const trusted = await withKeys(named, ssh, options, ask);
    say(`Looking at ${trusted.map(({ name }) => name).join(", ")}: nothing is changed there.`);
    const { candidates, hosts } = await look(trusted, ssh.whole);
    const cluster = options.name ?? (isProject(folder) ? options.stack : clusterName(folder));
    const roles = await rolesOf(candidates, options, ask);
    const reached = {
      hosts: Object.fromEntries(hosts.map(({ name, settings }) => [name, settings])),
      ssh: ssh.own,
    };
    const settings = stackSettings(cluster, reached, roles);
    parseSettings(settings);
    const text = stackText(settings, schemaFrom(dirname(file), folder));
    const files = [
      ...(isProject(folder) ? [] : projectFiles(folder, cluster, packageRoot())),
      { path: relative(folder, file), text },
    ];
    if (!options.json) show(candidates, roles);
    const list = files.map(({ path }) => `  ${path}\n`).join("");
    await ask.consent(`To be written in ${folder}:\n${list}Go on?`);
    for (const one of files) write(folder, one);
    if (options.json)
      process.stdout.write(`${JSON.stringify({ folder, roles, files }, null, 2)}\n`);
    else process.stdout.write(next(folder, options.stack));
  } finally {
    ask.close();
  }
}

async function hostsOf({ host = [] }: InitOptions, ask: Asker): Promise<NamedHost[]> {
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
  const hosts = await Promise.all(said.map(nameHost));
  const names = hosts.map(({ name }) => name);
  const twice = names.find((name, place) => names.indexOf(name) !== place);
  if (twice !== undefined) throw new UsageError(`--host ${twice}: expected each name once.`);
  return hosts;
}

interface Ssh {
  readonly own: { readonly user?: string; readonly identityFile?: string; readonly sudo?: boolean };
  readonly whole: ReturnType<typeof schema.shape.ssh.parse>;
}

function sshOf({ user, identityFile }: InitOptions): Ssh {
  const own = {
    ...(user !== undefined && { user }),
    ...(identityFile !== undefined && { identityFile }),
    // There may be no sudo where nobody else than root logs in.
    ...(user === "root" && { sudo: false }),
  };
  return { own, whole: schema.shape.ssh.parse(own) };
}

/** A key that nobody knows is trusted only when somebody has compared it. */
async function withKeys(
  hosts: readonly NamedHost[],
  ssh: Ssh,
  options: InitOptions,
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

/** Pulumi's own rule for the name of a stack (pkg/backend, validateStackName). */
const STACK_NAME = /^[A-Za-z0-9_.-]{1,100}$/;

const COMPARE = "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub";

async function rolesOf(
  candidates: readonly Candidate[],
  options: InitOptions,
  ask: Asker,
): Promise<Roles> {
  const { members, dcs, balancers, backup } = options;
  let { vip } = options;
  const wishes: Wishes = { members, dcs, balancers, backup, vip };
  const names = candidates.map(({ name }) => name);
  const wrong = wrongWishes(wishes, names);
  if (wrong.length > 0) throw new UsageError(wrong.join("\n"));
  const roles = proposeRoles(candidates, wishes);
  if (vip === undefined && roles.balancers.length > 1 && !options.yes) {
    vip = await ask.question(
      "Virtual IP of the balancers, a free address of their network (empty: none)\n> ",
    );
  }
  return proposeRoles(candidates, { ...wishes, vip: vip?.trim() || undefined });
}

function show(candidates: readonly Candidate[], roles: Roles): void {
  const table = plainTable([
    "Host",
    "Address",
    "System",
    "Cores",
    "Memory",
    "Disk free",
    "Is to be",
  ]);
  for (const { name, address, facts } of candidates) {
    const does = [
      ...(roles.members.includes(name) ? ["member"] : []),
      ...(roles.dcs.includes(name) ? ["etcd"] : []),
      ...(roles.balancers.includes(name) ? ["balancer"] : []),
      ...(roles.backup === name ? ["backups"] : []),
    ];
    const { system, cores, memory, disk } = facts;
    table.push([
      name,
      address,
      system,
      cores,
      sizeOf(memory),
      sizeOf(disk.free),
      does.join(", ") || "nothing",
    ]);
  }
  const told = remarks(candidates, roles).map((one) => `${wrapped(one)}\n`);
  process.stdout.write(`\n${table.toString()}\n\n${told.join("")}`);
}

function write(folder: string, { path, text }: NewFile): void {
  const file = join(folder, path);
  mkdirSync(dirname(file), { recursive: true });
  // What is there is the user's.
  writeFileSync(file, text, { flag: "wx" });
}

/** Where an editor finds the schema, from the stack's file on. */
function schemaFrom(stacks: string, folder: string): string {
  const root = packageRoot();
  const inside = root === folder ? root : join(folder, "node_modules/pgherd");
  return relative(stacks, join(inside, "stacks/pgherd.schema.json"));
}

function clusterName(folder: string): string {
  const name = basename(folder)
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, "-")
    .replace(/^[^a-z]+|-+$/g, "");
  return name === "" || name === "pgherd" ? "main" : name;
}

function next(folder: string, stack: string): string {
  const steps = [
    ...(folder === process.cwd() ? [] : [`cd ${relative(process.cwd(), folder)}`]),
    ...(folder === packageRoot() || existsSync(join(folder, "node_modules/pgherd"))
      ? []
      : ["npm install"]),
    `pulumi stack init ${stack}`,
    `pulumi preview -s ${stack} --diff`,
    `pulumi up -s ${stack}`,
  ];
  return `\nNext, with a look at ${stackPath("", stack)} before:\n${steps.map((one) => `  ${one}\n`).join("")}`;
}

/** Asks on the terminal. */
interface Asker {
  question(text: string): Promise<string>;
  /** @throws Refusal if the answer is no. @param usual what an empty answer means. */
  consent(text: string, usual?: boolean): Promise<void>;
  close(): void;
}

function asker(yes: boolean): Asker {
  const terminal = process.stdin.isTTY
    ? createInterface({ input: process.stdin, output: process.stderr })
    : undefined;
  const nobody = (text: string) =>
    new PgherdError(
      `${text.split("\n")[0]}: expected a terminal on which to ask, or the answer as an option.`,
      "pgherd init --help names them. Nothing was written.",
    );
  return {
    async question(text) {
      if (!terminal) throw nobody(text);
      return terminal.question(text);
    },
    async consent(text, usual = true) {
      if (yes && usual) return;
      if (!terminal || yes) throw nobody(text);
      const answer = (await terminal.question(`${text} ${usual ? "[Y/n]" : "[y/N]"} `)).trim();
      if (answer === "" ? usual : /^y(es)?$/i.test(answer)) return;
      throw new Refusal("init", ["You said no. Nothing was written."]);
    },
    close: () => terminal?.close(),
  };
}

function say(text: string): void {
  process.stderr.write(`${pc.dim(text)}\n`);
}

function list(value: string): string[] {
  const names = value.split(",").filter((one) => one !== "");
  if (names.length === 0)
    throw new InvalidArgumentError("expected hosts, with commas between them");
  return names;
}

const HELP = `
Roles go by the hosts' names (lb1, haproxy-2: balancers; backup1, barman:
backups; etcd1, witness: votes only); the others hold the data. Say what is
otherwise.

A host's key that is not in your known_hosts is shown, to be compared with the
host's console; for scripts give --fingerprint NAME=SHA256:…

Examples:
  pgherd init                        asks for everything
  pgherd init orders --vip 192.0.2.100 \\
    --host db1=192.0.2.11 --host db2=192.0.2.12 --host db3=192.0.2.13 \\
    --host lb1=192.0.2.21 --host lb2=192.0.2.22 --host backup1=192.0.2.31

Exit codes:
  0  written
  1  a host could not be looked at, or there was nobody to ask
  2  refused: something is there already, you said no, a key is another one,
     or what was said makes no sense; nothing was written`;
