import { setTimeout as sleep } from "node:timers/promises";
import { Command, InvalidArgumentError, Option } from "commander";
import pc from "picocolors";
import { faultOf, type Wish } from "../lab/faults/catalog";
import { healFaults, inflict, recordedFaults } from "../lab/faults/inflict";
import { inside, isOn } from "../lab/faults/inside";
import { PgherdError } from "../errors";
import { rerunAsRoot } from "../lab/rights";
import { DCS_ROLES } from "../roles/dcs";
import { roleNamed } from "../roles/roles";
import { DEFAULT_NAME } from "../lab/state";
import { labStatus } from "../lab/status";
import { parseSpan } from "./time";

interface FaultOptions {
  readonly name: string;
  readonly for?: number;
}

/** `pgherd lab fault …`: what happens to hosts, networks and disks, on purpose. */
export function labFaultCommand(): Command {
  const fault = new Command("fault")
    .description("Breaks something in a lab, and mends it again.")
    .addHelpText("after", FAULT_HELP);
  addHostFaults(fault);
  addProcessFaults(fault);
  addNetworkFaults(fault);
  addDataFaults(fault);
  addList(fault);
  addHeal(fault);
  return fault;
}

function addHostFaults(fault: Command): void {
  const each: [Wish["kind"] & ("power" | "reboot" | "hang" | "isolate"), string][] = [
    ["power", "Cut the power of hosts, and give it back."],
    ["reboot", "Restart hosts as an administrator does."],
    ["hang", "Stop every process of hosts for a while; nothing is lost."],
    ["isolate", "Cut hosts off from everybody; only the controller's SSH passes."],
  ];
  for (const [kind, description] of each) {
    lasting(fault, kind, description)
      .argument("<host...>")
      .action((hosts: string[], options: FaultOptions) => run(options, { kind, args: { hosts } }));
  }
  lasting(fault, "flap", "Take the link of hosts down and up again, every few seconds.")
    .argument("<host...>")
    .option("--period <seconds>", "how long it is down, and then up", positive, 5)
    .action((hosts: string[], options: FaultOptions & { period: number }) =>
      run(options, { kind: "flap", args: { hosts, period: options.period } }),
    );
}

function addProcessFaults(fault: Command): void {
  const processes = "postgres, pg_receivewal, or a unit: patroni, etcd, haproxy, keepalived";
  lasting(fault, "kill", "Kill a process (SIGKILL); what watches over it may start it again.")
    .argument("<host>")
    .argument("<process>", processes)
    .action((host: string, process: string, options: FaultOptions) =>
      run(options, { kind: "kill", args: { host, process } }),
    );
  lasting(fault, "suspend", "Stop a process (SIGSTOP), and let it go on.")
    .argument("<host>")
    .argument("<process>", processes)
    .action((host: string, process: string, options: FaultOptions) =>
      run(options, { kind: "suspend", args: { host, process } }),
    );
  lasting(fault, "patroni", "Kill Patroni for good, while its PostgreSQL goes on unwatched.")
    .argument("<host>")
    .action((host: string, options: FaultOptions) =>
      run(options, { kind: "abandon", args: { host, process: "patroni" } }),
    );
  lasting(fault, "dcs", "Stop all of the DCS at once, or that of some hosts.")
    .argument("[host...]", "default: all hosts on which it runs")
    .action(async (hosts: string[], options: FaultOptions) =>
      run(options, {
        kind: "stop",
        args: () => dcsRunning(options, hosts),
      }),
    );
}

function addNetworkFaults(fault: Command): void {
  lasting(fault, "cut", "Lose what hosts send to each other: all, one port, one direction.")
    .argument("<from>", "host, or several with commas between")
    .argument("<to>", "host, or several with commas between")
    .option("--port <number...>", "only these TCP ports on the side of <to>", ports)
    .option("--one-way", "only what goes from <from> to <to>")
    .option("--loss <percent>", "only so many packets out of 100", positive)
    .action(
      (
        from: string,
        to: string,
        options: FaultOptions & { port?: number[]; oneWay?: boolean; loss?: number },
      ) => {
        const { port, oneWay, loss } = options;
        const args = { from: names(from), to: names(to), ports: port, oneWay, loss };
        return run(options, { kind: "cut", args });
      },
    );
  lasting(fault, "vrrp", "Lose VRRP between load balancers, while all else passes.")
    .argument("<from>")
    .argument("<to>")
    .action((from: string, to: string, options: FaultOptions) =>
      run(options, { kind: "cut", args: { from: [from], to: [to], protocol: 112 } }),
    );
}

function addDataFaults(fault: Command): void {
  lasting(
    fault,
    "fill",
    "Fill the disk of a host's data to the last byte (needs lab up --data-fs).",
  )
    .argument("<host>")
    .action((host: string, options: FaultOptions) =>
      run(options, { kind: "fill", args: { host } }),
    );
  lasting(fault, "slow", "Slow down the disk of a host's data (needs lab up --data-fs).")
    .argument("<host>")
    .option("--rate <bytes>", "bytes that it writes in a second", positive, 65536)
    .action((host: string, options: FaultOptions & { rate: number }) =>
      run(options, { kind: "slow", args: { host, bytesPerSecond: options.rate } }),
    );
  lasting(fault, "corrupt", "Overwrite a part of a member's data. Does not heal by itself.")
    .argument("<host>")
    .addOption(
      new Option("--what <part>", "the largest table, pg_control or the newest WAL")
        .choices(["table", "control", "wal"])
        .default("table"),
    )
    .action((host: string, options: FaultOptions & { what: "table" | "control" | "wal" }) =>
      run(options, { kind: "corrupt", args: { host, what: options.what } }),
    );
  lasting(fault, "remove", "Delete a member's data directory. Does not heal by itself.")
    .argument("<host>")
    .action((host: string, options: FaultOptions) =>
      run(options, { kind: "remove", args: { host } }),
    );
}

function addList(fault: Command): void {
  verb(fault, "list", "Show the faults that are in force.").action(({ name }: FaultOptions) => {
    for (const { id, kind, args, since } of recordedFaults(name))
      process.stdout.write(`${id}  ${since.slice(11, 19)}  ${faultOf(kind).describe(args)}\n`);
  });
}

function addHeal(fault: Command): void {
  verb(fault, "heal", "Heal what is in force: all of it, or one fault.")
    .argument("[id]", "as `lab fault list` shows it")
    .action(async (id: string | undefined, { name }: FaultOptions) => {
      if ((await rerunAsRoot()) !== undefined) return;
      for (const what of await healFaults(name, id)) say(name, `healed: ${what}`);
    });
}

type Stop = Extract<Wish, { kind: "stop" }>;

/** A wish that may have to be found out first. */
type Unsettled = Wish | { readonly kind: "stop"; readonly args: () => Promise<Stop["args"]> };

/** Faults that are over in a moment: there is nothing to wait for. */
const AT_ONCE: readonly Wish["kind"][] = ["kill", "reboot", "corrupt", "remove"];

async function run(options: FaultOptions, unsettled: Unsettled): Promise<void> {
  const code = await rerunAsRoot();
  if (code !== undefined) {
    process.exitCode = code;
    return;
  }
  const { name } = options;
  const inflicted = await inflict(name, await settled(unsettled));
  say(name, inflicted.what);
  try {
    if (!AT_ONCE.includes(unsettled.kind)) await ended(options.for);
  } finally {
    await inflicted.heal();
    if (!AT_ONCE.includes(unsettled.kind)) say(name, `healed: ${inflicted.what}`);
  }
}

async function settled(wish: Unsettled): Promise<Wish> {
  return typeof wish.args === "function"
    ? { kind: "stop", args: await wish.args() }
    : (wish as Wish);
}

/** The unit of the DCS that runs, and where: on these hosts, or else on all that have it. */
async function dcsRunning(options: FaultOptions, hosts: readonly string[]) {
  for (const role of DCS_ROLES) {
    const unit = roleNamed(role).unit.replace(".service", "");
    const on = await runningOn(options, unit);
    if (on.length > 0) return { unit, hosts: hosts.length > 0 ? hosts : on };
  }
  throw new PgherdError("expected a DCS that runs on one of the lab's hosts, found none.");
}

async function runningOn({ name }: FaultOptions, unit: string): Promise<string[]> {
  const on = labStatus(name).hosts.filter((host) => isOn(name, host.name));
  const found = await Promise.all(
    on.map(async (host) =>
      (await inside(name, host.name, `systemctl is-active -q ${unit} && echo yes; :`)) === "yes\n"
        ? [host.name]
        : [],
    ),
  );
  return found.flat();
}

/** Until the time is over, or somebody ends this by Ctrl-C or a signal. */
async function ended(seconds: number | undefined): Promise<void> {
  const asked = new Promise<void>((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, resolve);
  });
  if (seconds === undefined) {
    process.stderr.write(pc.dim("Ctrl-C heals it.\n"));
    const alive = setInterval(() => undefined, 60_000);
    await asked;
    clearInterval(alive);
  } else {
    const over = new AbortController();
    await Promise.race([asked, sleep(seconds * 1000, undefined, { signal: over.signal })]);
    over.abort();
  }
}

function lasting(parent: Command, name: string, description: string): Command {
  return verb(parent, name, description).option(
    "--for <time>",
    "heal it after this long, e.g. 30s, 2m (default: on Ctrl-C)",
    (text: string) => parseSpan("--for", text) / 1000,
  );
}

function verb(parent: Command, name: string, description: string): Command {
  return parent
    .command(name)
    .description(description)
    .option("--name <lab>", "which lab", process.env["PGHERD_LAB"] ?? DEFAULT_NAME);
}

function names(text: string): string[] {
  return text.split(",").filter((name) => name !== "");
}

function ports(text: string, before: number[] | undefined): number[] {
  return [...(before ?? []), positive(text)];
}

function positive(text: string): number {
  const number = Number(text);
  if (Number.isFinite(number) && number > 0) return number;
  throw new InvalidArgumentError("Expected a number greater than 0.");
}

function say(lab: string, text: string): void {
  process.stderr.write(`${pc.dim(`lab ${lab}:`)} ${text}\n`);
}

const FAULT_HELP = `
A fault lasts until Ctrl-C, or for as long as --for says, and is healed then;
also when this command is killed. Each host's kernel is asked, not its network,
so that hosts that nobody reaches heal too.

Examples:
  pgherd lab fault power db1 --for 60
  pgherd lab fault hang db1
  pgherd lab fault cut db1 db2,db3 --port 2379 2380
  pgherd lab fault cut db2,db3 db1 --one-way
  pgherd lab fault vrrp lb1 lb2
  pgherd lab fault heal`;
