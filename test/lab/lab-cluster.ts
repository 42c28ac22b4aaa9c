import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parse, stringify } from "yaml";
import type { z } from "zod";
import type { settings } from "../../src/config/schema";
import { down } from "../../src/lab/down";
import { hostExec, labExec } from "../../src/lab/exec";
import { up, type UpOptions } from "../../src/lab/up";
import type { MigrationStatus } from "../../src/migration/cli/look";
import { GIVEN_SECRETS } from "../../src/config/parse";
import type { ClusterStatus } from "../../src/operations/status";
import { packageRoot } from "../../src/package-root";
import { DCS } from "./harness";

/**
 * Looks again and again until there is something to return; a look that throws counts as nothing.
 * @throws Error naming `what` when it has not come after that many seconds
 */
export async function until<T>(
  what: string,
  seconds: number,
  look: () => Promise<T | undefined>,
): Promise<T> {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const found = await look().catch(() => undefined);
    if (found !== undefined) return found;
    if (Date.now() > end) throw new Error(`${what}: not within ${seconds} seconds`);
    await sleep(1000);
  }
}

/** Name of the member that leads; empty while none does. */
export function leaderOf(seen: ClusterStatus): string {
  return seen.members.find(({ role }) => role === "leader")?.name ?? "";
}

/** What a stack file says to pgherd, as a user writes it. */
export type StackSettings = Pick<z.input<typeof settings>, "hosts" | "cluster"> & {
  /** `pgherd:migrationPassword`, which is no setting of the cluster itself. */
  migrationPassword?: string;
  /** `pgherd:dcsPassword` and its like. */
  dcsPassword?: string;
  dcsToken?: string;
  dcsKey?: string;
};

export type Mode = "asynchronous" | "synchronous" | "strict" | "quorum";

/** What became of writes, one after the other, each of which may have failed without being undone. */
export interface Writes {
  readonly written: number;
  readonly failed: number;
  /** Milliseconds between two writes that succeeded, at most. */
  readonly longestMs: number;
}

/** What the program hands out at the end of `pulumi up`. */
export interface Outputs {
  readonly addresses?: readonly string[];
  readonly ports?: Readonly<Record<string, number>>;
  readonly connection: { readonly primary: string };
  readonly passwords: { readonly app: string };
  readonly statsPassword?: string;
  readonly systemIdentifier: string;
}

/**
 * What the leader's `synchronous_standby_names` is in each mode, with three members and one that confirms
 * (PostgreSQL, runtime-config-replication).
 */
const STANDBY_NAMES: { readonly [mode in Mode]: RegExp } = {
  asynchronous: /^$/,
  synchronous: /^"?db\d"?$/,
  strict: /^"?db\d"?$/,
  quorum: /^ANY 1 \("?db\d"?, ?"?db\d"?\)$/,
};

/** The commands of Pulumi that read a stack file, and so take another one. */
const READ_STACK_FILE = ["up", "preview", "refresh", "destroy"];

let otherDcs: string | undefined;

/** The lab's own stack file, or a copy of it with the DCS that is tried. */
function ofTheLab(): string {
  const own = join(packageRoot(), "stacks/Pulumi.lab.yaml");
  if (DCS === "etcd") return own;
  if (otherDcs === undefined) {
    const file = parse(readFileSync(own, "utf8")) as { config: Record<string, object> };
    const { members } = (file.config["pgherd:cluster"] as StackSettings["cluster"]).dcs as {
      members: string[];
    };
    const cluster = { ...file.config["pgherd:cluster"], dcs: { kind: DCS, members } };
    file.config["pgherd:cluster"] = cluster;
    otherDcs = join(mkdtempSync(join(tmpdir(), "pgherd-")), "config.yaml");
    writeFileSync(otherDcs, stringify(file));
  }
  return otherDcs;
}

/** The cluster of the stack `lab` on the hosts of a lab, looked at and changed as its owner would. */
export class LabCluster {
  constructor(
    readonly lab: string,
    /** Stands in for stacks/Pulumi.lab.yaml. */
    private readonly options: {
      readonly configFile?: string;
      readonly stack?: string;
      /** The project that Pulumi runs. */
      readonly root?: string;
    } = {},
  ) {}

  /** The same hosts and the same stack, by the settings of another file. */
  with(configFile: string): LabCluster {
    return new LabCluster(this.lab, { configFile });
  }

  /** The same by another version of the program. @param root its folder. */
  at(root: string): LabCluster {
    return new LabCluster(this.lab, { ...this.options, root });
  }

  /** Another stack on the same hosts, by the settings of another file. */
  async another(stack: string, configFile: string): Promise<LabCluster> {
    const cluster = new LabCluster(this.lab, { configFile, stack });
    await labExec(this.lab, ["pulumi", "-C", packageRoot(), "stack", "select", "--create", stack]);
    return cluster;
  }

  /** Writes a changed copy of the cluster's stack file. Returns its name, for `with` or `pulumi up --config-file`. */
  variation(change: (settings: StackSettings) => void): string {
    const original = this.options.configFile ?? ofTheLab();
    const file = parse(readFileSync(original, "utf8")) as { config: Record<string, unknown> };
    const varied = {
      hosts: file.config["pgherd:hosts"],
      cluster: file.config["pgherd:cluster"],
    } as StackSettings;
    change(varied);
    file.config["pgherd:hosts"] = varied.hosts;
    file.config["pgherd:cluster"] = varied.cluster;
    for (const name of GIVEN_SECRETS)
      if (name in varied) file.config[`pgherd:${name}`] = varied[name as "dcsKey"];
    const copy = join(mkdtempSync(join(tmpdir(), "pgherd-")), "config.yaml");
    writeFileSync(copy, stringify(file));
    return copy;
  }

  /** The same hosts and the same stack, by changed settings. */
  varying(change: (settings: StackSettings) => void): LabCluster {
    return this.with(this.variation(change));
  }

  /** Boots blank hosts in place of those that an earlier run may have left, with a stack that has nothing in it. */
  async boot(options: UpOptions): Promise<void> {
    await down(this.lab);
    await up(this.lab, options);
    await this.pulumi("stack", "select", "--create");
  }

  /** In place of the stack's own. */
  configFile(): string | undefined {
    return this.options.configFile ?? (DCS === "etcd" ? undefined : ofTheLab());
  }

  /** The command line of Pulumi for this cluster. */
  argv(...args: string[]): string[] {
    const { root = packageRoot() } = this.options;
    const configFile = this.configFile();
    const varied = configFile !== undefined && READ_STACK_FILE.includes(args[0] ?? "");
    return [
      ...["pulumi", "-C", root, ...args, "--stack", this.options.stack ?? "lab"],
      ...["--non-interactive", "--color", "never"],
      ...(varied ? ["--config-file", configFile] : []),
    ];
  }

  pulumi(...args: string[]): Promise<string> {
    return labExec(this.lab, this.argv(...args));
  }

  /** The same with what it says of resources, which goes to standard error beside a diff. */
  shown(...args: string[]): Promise<string> {
    return labExec(this.lab, ["sh", "-c", 'exec "$@" 2>&1', "sh", ...this.argv(...args)]);
  }

  /** What Pulumi prints, errors included, in a run that has to fail. */
  refused(...args: string[]): Promise<string> {
    const script = 'if "$@" 2>&1; then echo "expected this to fail" >&2; exit 1; fi';
    return labExec(this.lab, ["sh", "-c", script, "sh", ...this.argv(...args)]);
  }

  /** Ends the hosts. */
  down(): Promise<void> {
    return down(this.lab);
  }

  /** Makes the hosts what the stack says. */
  deploy(...extra: string[]): Promise<string> {
    return this.pulumi("up", "--yes", "--skip-preview", ...extra);
  }

  /** Looks at the hosts and finds them as the stack says. @throws Error with all that was found otherwise */
  async unchanged(): Promise<void> {
    const script = '"$@" 2>&1 || echo "failed with $?"';
    const options = ["--yes", "--skip-preview", "--refresh", "--expect-no-changes", "--diff"];
    const command = ["sh", "-c", script, "sh", ...this.argv("up", ...options)];
    const said = await labExec(this.lab, command);
    if (/^failed with \d+$/m.test(said)) throw new Error(`expected no changes, got:\n${said}`);
  }

  /** What pgherd's own command line prints. */
  pgherd(...args: string[]): Promise<string> {
    return labExec(this.lab, this.command(args));
  }

  /** What a verb would do, as one text: where its lines break depends on the numbers in it. */
  async planned(...args: string[]): Promise<string> {
    return (await this.pgherd(...args, "--plan")).replace(/\s+/g, " ");
  }

  /** What pgherd's own command line says where it has to refuse. */
  pgherdRefuses(...args: string[]): Promise<string> {
    const command = this.command(args);
    const script = 'if "$@" 2>&1; then echo "expected this to fail" >&2; exit 1; fi';
    return labExec(this.lab, ["sh", "-c", script, "sh", ...command]);
  }

  /** Runs pgherd's own command line, and kills it as soon as something is seen. */
  async pgherdKilled(seen: () => Promise<true | undefined>, ...args: string[]): Promise<void> {
    const file = join(mkdtempSync(join(tmpdir(), "pgherd-")), "pid");
    const script = 'echo $$ >"$1"; shift; exec "$@"';
    const running = labExec(this.lab, ["sh", "-c", script, "sh", file, ...this.command(args)]);
    const ended = running.then(
      () => "done",
      (error: Error) => error.message,
    );
    await until("the moment to kill it", 300, seen);
    await labExec(this.lab, ["kill", "-KILL", readFileSync(file, "utf8").trim()]);
    await ended;
  }

  async status(): Promise<ClusterStatus> {
    return (await this.told("status", "--json")) as ClusterStatus;
  }

  /** The steps of its migration that are done, and what comes next: `adopted, then replicated`. */
  async steps(): Promise<string> {
    const { steps = [] } = (await this.told("migration", "status", "--json")) as MigrationStatus;
    const [done, next] = ["done", "next"].map((wanted) =>
      steps.filter(({ state }) => state === wanted).map(({ name }) => name),
    );
    return `${done?.at(-1) ?? "nothing"}, then ${next?.join() || "nothing"}`;
  }

  /** What a verb tells in JSON. That all is not well is an answer too. */
  private async told(...args: string[]): Promise<unknown> {
    const script = '"$@" || case $? in 2 | 3) ;; *) exit 1 ;; esac';
    const command = ["sh", "-c", script, "sh", ...this.command(args)];
    return JSON.parse(await labExec(this.lab, command));
  }

  healthy(seconds = 180): Promise<ClusterStatus> {
    return until("healthy", seconds, async () => {
      const seen = await this.status();
      return seen.healthy ? seen : undefined;
    });
  }

  private command(args: readonly string[]): string[] {
    const { stack = "lab" } = this.options;
    const configFile = this.configFile();
    const config = configFile === undefined ? [] : ["--config-file", configFile];
    // Tests with several stacks select now one, now the other.
    const chosen = ["env", `PULUMI_STACK=${stack}`];
    return [...chosen, process.execPath, join(packageRoot(), "bin/pgherd"), ...args, ...config];
  }

  /** Waits until a member leads that is not this one. Returns its name. */
  otherLeader(old: string): Promise<string> {
    return until("another leader", 180, async () => {
      const seen = leaderOf(await this.status());
      return seen !== "" && seen !== old ? seen : undefined;
    });
  }

  async outputs(): Promise<Outputs> {
    return JSON.parse(await this.pulumi("stack", "output", "--json", "--show-secrets")) as Outputs;
  }

  /** Runs a shell command on a host, as a user who may `sudo`. */
  onHost(host: string, command: string, input?: string): Promise<string> {
    return hostExec(this.lab, host, command, { input });
  }

  /** Runs SQL as the user app through a virtual IP, from a member, which has psql. */
  async sql(port: number, text: string, address = "10.89.0.100"): Promise<string> {
    const { passwords } = await this.outputs();
    // Not in the command line: a test looks there for passwords.
    const script = `read -r PGPASSWORD; export PGPASSWORD; psql -XAtq -h ${address} -p ${port} -U app -d app -c "${text}"`;
    return (await this.onHost("db1", script, `${passwords.app}\n`)).trim();
  }

  /** Writes through the entry point, into the table `probe`, while something is going on. */
  async writesDuring(work: () => Promise<unknown>): Promise<Writes> {
    const stop = join(mkdtempSync(join(tmpdir(), "pgherd-")), "stop");
    const { connection, passwords } = await this.outputs();
    const probe = labExec(
      this.lab,
      [
        process.execPath,
        join(packageRoot(), "test/lab/write-probe.cjs"),
        connection.primary,
        stop,
        "900",
      ],
      { env: { PGUSER: "app", PGDATABASE: "app", PGPASSWORD: passwords.app } },
    );
    try {
      await work();
    } finally {
      writeFileSync(stop, "");
    }
    return JSON.parse(await probe) as Writes;
  }

  /** Runs SQL as the superuser on a member itself. */
  async superuserSql(host: string, text: string, database = "postgres"): Promise<string> {
    const psql = `cd / && sudo -u postgres psql -XAtq -v ON_ERROR_STOP=1 -d ${database}`;
    return (await this.onHost(host, psql, `${text}\n`)).trim();
  }

  /** The configuration that all members follow, as Patroni shows it. */
  async dynamicConfiguration(): Promise<Record<string, unknown>> {
    const shown = await this.onHost("db1", "sudo patronictl -c /etc/patroni/pgherd show-config");
    return parse(shown) as Record<string, unknown>;
  }

  /** Seconds for which etcd has granted the leader its key. Asked on db1, which must be a host of the DCS. */
  async leaderLease(): Promise<number> {
    const granted = await this.onHost(
      "db1",
      `lease=$(sudo etcdctl get /service/demo/leader -w json | grep -o '"lease":[0-9]*' | cut -d: -f2)
       sudo etcdctl lease timetolive "$(printf %x "$lease")"`,
    );
    return Number(/TTL\((\d+)s\)/.exec(granted)?.[1]);
  }

  /** Waits until the leader itself waits for as many replicas as the mode promises. */
  async replicates(mode: Mode): Promise<void> {
    await until(`synchronous_standby_names of ${mode}`, 60, async () => {
      const leader = leaderOf(await this.status());
      const names = await this.superuserSql(leader, "show synchronous_standby_names");
      const { synchronous_mode_strict: strict } = await this.dynamicConfiguration();
      return STANDBY_NAMES[mode].test(names) && strict === (mode === "strict") ? true : undefined;
    });
  }
}
