import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import { name as clusterNames } from "../config/blocks/basics";
import { parseSettings } from "../config/parse";
import { ConfigError, UsageError } from "../errors";
import { look } from "../init/hosts";
import { isProject, projectFiles, stackSettings, stackText, type NewFile } from "../init/project";
import {
  proposeRoles,
  strangers,
  wrongWishes,
  type Candidate,
  type Roles,
  type Wishes,
} from "../init/roles";
import { Refusal } from "../cluster/cluster";
import { packageRoot } from "../package-root";
import { asker, say, type Asker } from "./asker";
import { hostsOf, sshOf, withKeys, type HostOptions } from "./init-hosts";
import { next, show } from "./init-report";
import { stackPath } from "./project";

interface InitOptions extends HostOptions {
  readonly stack: string;
  readonly name?: string;
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
  const cluster = options.name ?? (isProject(folder) ? options.stack : clusterName(folder));
  const known = clusterNames.safeParse(cluster);
  if (!known.success) {
    throw new UsageError(
      `--name ${cluster}: expected ${known.error.issues[0]?.message}, for the cluster.`,
    );
  }
  const ssh = sshOf(options);
  const ask = asker(options.yes ?? false);
  try {
    const named = await hostsOf(options, ask);
    const trusted = await withKeys(named, ssh, options, ask);
    say(`Looking at ${trusted.map(({ name }) => name).join(", ")}: nothing is changed there.`);
    const { candidates, hosts } = await look(trusted, ssh.whole);
    const taken = strangers(candidates, cluster);
    if (taken.length > 0) throw new Refusal("init", taken);
    const roles = await rolesOf(candidates, options, ask);
    const reached = {
      hosts: Object.fromEntries(hosts.map(({ name, settings }) => [name, settings])),
      ssh: ssh.own,
    };
    const settings = stackSettings(cluster, reached, roles);
    demandSense(settings);
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

/** What hosts and wishes come to together. @throws UsageError if it is no cluster. */
function demandSense(settings: unknown): void {
  try {
    parseSettings(settings);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new UsageError(
      `What was said makes no cluster:\n${error.problems.map((one) => `  - ${one}`).join("\n")}`,
      "Name other hosts or roles. Nothing was written.",
    );
  }
}

/** Pulumi's own rule for the name of a stack (pkg/backend, validateStackName). */
const STACK_NAME = /^[A-Za-z0-9_.-]{1,100}$/;

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
