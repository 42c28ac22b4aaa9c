import { Command, Option } from "commander";
import pc from "picocolors";
import { DATA_FILE_SYSTEMS, DATA_MOUNT, type DataFileSystem } from "../lab/data-disk";
import { down } from "../lab/down";
import { labExecAttached, labSsh } from "../lab/exec";
import { addHost } from "../lab/add-host";
import { powerOff, powerOn, reset } from "../lab/power";
import type { Progress } from "../lab/progress";
import { rerunAsRoot } from "../lab/rights";
import { DEFAULT_NAME } from "../lab/state";
import { labNames, labStatus, type LabStatus } from "../lab/status";
import { DEFAULT_TOPOLOGY, DISTROS, TOPOLOGIES, type Distro, type Topology } from "../lab/topology";
import { up } from "../lab/up";
import { chaosLoadCommand, labChaosCommand } from "./lab-chaos";
import { labFaultCommand } from "./lab-fault";
import { plainTable } from "./table";

interface NameOptions {
  readonly name: string;
}

interface UpFlags {
  readonly topology?: Topology;
  readonly distro?: Distro;
  readonly dataFs?: DataFileSystem;
  readonly json?: boolean;
}

/** `pgherd lab …`: throwaway Debian hosts on this machine. */
export function labCommand(): Command {
  const lab = new Command("lab")
    .description(
      "Boots throwaway Debian hosts on this machine, to deploy on, to break and to rehearse with.",
    )
    .enablePositionalOptions()
    .addHelpText("after", LAB_HELP);
  addUp(lab);
  addDown(lab);
  addReset(lab);
  addStatus(lab);
  addSsh(lab);
  addExec(lab);
  addPower(lab);
  addAdd(lab);
  lab.addCommand(labFaultCommand());
  lab.addCommand(labChaosCommand());
  lab.addCommand(chaosLoadCommand(), { hidden: true });
  return lab;
}

function addUp(lab: Command): void {
  verb(lab, "up", "Boot a lab, or start those of its hosts that are off.")
    .addOption(
      new Option("--topology <topology>", `which hosts (default: ${DEFAULT_TOPOLOGY})`).choices(
        Object.keys(TOPOLOGIES),
      ),
    )
    .addOption(
      new Option(
        "--distro <distro>",
        `Debian release of the hosts (default: ${DISTROS[0]})`,
      ).choices(DISTROS),
    )
    .addOption(
      new Option(
        "--data-fs <type>",
        `give each database host a disk for ${DATA_MOUNT} (forks need btrfs or xfs)`,
      ).choices(DATA_FILE_SYSTEMS),
    )
    .option("--json", "print the lab's status as JSON when all hosts are up")
    .addHelpText("after", UP_HELP)
    .action(
      asRoot(async (options: NameOptions & UpFlags) => {
        const progress = progressOf(options.name);
        await up(options.name, { ...options, progress });
        if (options.json) printJson(labStatus(options.name));
      }),
    );
}

function addDown(lab: Command): void {
  verb(lab, "down", "End a lab and delete all of it: hosts, disks, keys, Pulumi's state.")
    .addHelpText(
      "after",
      "\nWorks on crashed and half-made labs too. A lab that is not there is no error.",
    )
    .action(asRoot((options: NameOptions) => down(options.name, progressOf(options.name))));
}

function addReset(lab: Command): void {
  verb(lab, "reset", "Make hosts blank again, in seconds.")
    .argument("[host...]", "which hosts (default: all)")
    .addHelpText("after", RESET_HELP)
    .action(
      asRoot((hosts: string[], options: NameOptions) =>
        reset(options.name, hosts, progressOf(options.name)),
      ),
    );
}

function addStatus(lab: Command): void {
  verb(lab, "status", "Show a lab's hosts, their addresses and which are up.")
    .option("--json", "print everything known, with host keys and file names, as JSON")
    .action((options: NameOptions & { json?: boolean }) => {
      const status = labStatus(options.name);
      if (options.json) printJson(status);
      else printStatus(status);
    });
}

function addSsh(lab: Command): void {
  verb(
    lab,
    "ssh",
    "Open a shell on a host as its deploy user (sudo asks for no password), or run a command there.",
  )
    .argument("<host>")
    .argument("[command...]")
    .passThroughOptions()
    .addHelpText(
      "after",
      "\nExamples:\n  pgherd lab ssh db1\n  pgherd lab ssh db1 -- sudo journalctl -n 50",
    )
    .action(
      asRoot(async (host: string, command: string[], options: NameOptions) => {
        process.exitCode = await labSsh(options.name, host, withoutDashes(command));
      }),
    );
}

function addExec(lab: Command): void {
  verb(
    lab,
    "exec",
    "Run a command of this machine inside the lab's network, with the toolchain on PATH.",
  )
    .argument("<command...>")
    .passThroughOptions()
    .addHelpText("after", EXEC_HELP)
    .action(
      asRoot(async (command: string[], options: NameOptions) => {
        process.exitCode = await labExecAttached(options.name, withoutDashes(command));
      }),
    );
}

function addPower(lab: Command): void {
  const power = lab
    .command("power")
    .description("Cut hosts' power, or start them again from the disks they have.");
  verb(
    power,
    "off",
    "Cut the power: every process of the host is killed at once, its disk is kept.",
  )
    .argument("<host...>")
    .action(
      asRoot((hosts: string[], options: NameOptions) =>
        powerOff(options.name, hosts, progressOf(options.name)),
      ),
    );
  verb(power, "on", "Start hosts that are off, and wait until they answer.")
    .argument("<host...>")
    .action(
      asRoot((hosts: string[], options: NameOptions) =>
        powerOn(options.name, hosts, progressOf(options.name)),
      ),
    );
}

function addAdd(lab: Command): void {
  verb(lab, "add", "Boot one more blank host in a lab, e.g. to replace another one with.")
    .argument("<host>", "its name")
    .option("--octet <number>", "last octet of its address in 10.89.0.0/24", Number, 200)
    .action(
      asRoot(async (host: string, options: NameOptions & { octet: number }) => {
        await addHost(options.name, host, options.octet, progressOf(options.name));
      }),
    );
}

function verb(parent: Command, name: string, description: string): Command {
  return parent
    .command(name)
    .description(description)
    .option("--name <lab>", "which lab", process.env["PGHERD_LAB"] ?? DEFAULT_NAME);
}

/** Wraps an action so that a user who is not root gets it by sudo. */
function asRoot<T extends unknown[]>(action: (...args: T) => Promise<void>) {
  return async (...args: T): Promise<void> => {
    const code = await rerunAsRoot();
    if (code === undefined) await action(...args);
    else process.exitCode = code;
  };
}

/** A "--" that comes after the host's name reaches us as one of the command's words. */
function withoutDashes(command: readonly string[]): readonly string[] {
  return command[0] === "--" ? command.slice(1) : command;
}

function progressOf(name: string): Progress {
  return (host, text) =>
    process.stderr.write(`${pc.dim(`lab ${name}:`)} ${host ? `${pc.bold(host)} ` : ""}${text}\n`);
}

function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
}

function printStatus(status: LabStatus): void {
  const table = plainTable(["Host", "Address", "IPv6", "State", "Since"]);
  const colour = { up: pc.green, booting: pc.yellow, off: pc.red };
  for (const host of status.hosts)
    table.push([
      host.name,
      host.address,
      host.address6,
      colour[host.state](host.state),
      host.since?.replace(/\.\d+Z$/, "Z") ?? "",
    ]);
  const others = labNames().filter((name) => name !== status.name);
  process.stdout.write(
    `Lab "${status.name}": ${status.topology} on Debian ${status.distro}, in ${status.dir}\n` +
      (status.dataFs ? `Data of the database hosts on ${status.dataFs}\n` : "") +
      `${table.toString()}\n` +
      (others.length > 0 ? `Other labs: ${others.join(" ")}\n` : ""),
  );
}

const LAB_HELP = `
The hosts are real Debian systems (systemd, sshd, nftables) in containers, on a
network of their own (10.89.0.0/24) that has no way out and that only commands
run by "lab exec" and "lab ssh" can reach. Several labs can be up at once under
different names; all of them use the same addresses. Takes root, or a sudo that
asks for no password.

Examples:
  pgherd lab up
  pgherd lab exec -- pulumi up -s lab
  pgherd lab ssh db1
  pgherd lab reset
  pgherd lab down`;

const UP_HELP = `
Topologies:
${Object.entries(TOPOLOGIES)
  .map(([name, hosts]) => `  ${name.padEnd(9)} ${hosts.join(" ")}`)
  .join("\n")}

A lab that is up is left as it is. One that was cut off while it was made is
completed.

Examples:
  pgherd lab up
  pgherd lab up --topology small --distro bookworm --name old
  pgherd lab up --data-fs btrfs --name forks`;

const RESET_HELP = `
A host keeps its name, address, machine-id and SSH host key; all that was ever
written on it is deleted. What Pulumi believes about it is not: run "pulumi
refresh", or start again with "lab down" and "lab up".

Examples:
  pgherd lab reset
  pgherd lab reset db2 db3`;

const EXEC_HELP = `
The command finds in its environment: PGHERD_LAB, PGHERD_SSH_CONFIG (the hosts
by name, with their keys), and, unless they are set already, PULUMI_BACKEND_URL
and PULUMI_CONFIG_PASSPHRASE for a backend that lives and dies with the lab. Its
exit code is passed on.

Examples:
  pgherd lab exec -- pulumi up -s lab
  pgherd lab exec -- psql -h 10.89.0.100 -p 5000 -U app
  pgherd lab exec -- bash`;
