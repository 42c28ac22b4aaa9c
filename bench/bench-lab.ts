import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { down } from "../src/lab/down";
import { hostExec, labExec } from "../src/lab/exec";
import { up, type UpOptions } from "../src/lab/up";
import { packageRoot } from "../src/package-root";

/** The values of a stack file: `{ "pgherd:cluster": { members: ["db1"] } }`. */
export type StackConfig = { [name: string]: unknown } & {
  "pgherd:cluster": { [name: string]: unknown };
};

/** Hosts of their own for one part of the benchmark, and a cluster on them by a stack file of its own. */
export class BenchLab {
  #folder?: string;

  constructor(readonly name: string) {}

  /** Blank hosts in place of those that an earlier run may have left. */
  async boot(options: UpOptions): Promise<void> {
    await down(this.name);
    await up(this.name, options);
    await this.pulumi("stack", "select", "--create", "lab");
  }

  /** Ends the hosts. */
  async down(): Promise<void> {
    if (this.#folder !== undefined) rmSync(this.#folder, { recursive: true });
    this.#folder = undefined;
    await down(this.name);
  }

  /** Says from now on what a stack of the repository says, with changes. @param stack `lab` */
  configure(stack: string, change: (config: StackConfig) => void): void {
    const original = join(packageRoot(), `stacks/Pulumi.${stack}.yaml`);
    const file = parse(readFileSync(original, "utf8")) as { config: StackConfig };
    change(file.config);
    writeFileSync(this.#stackFile, stringify(file));
  }

  deploy(): Promise<string> {
    const options = ["--yes", "--skip-preview", "--config-file", this.#stackFile];
    return this.pulumi("up", ...options, "--stack", "lab");
  }

  pulumi(...args: string[]): Promise<string> {
    return labExec(this.name, ["pulumi", "-C", packageRoot(), ...args]);
  }

  pgherd(...args: string[]): Promise<string> {
    const command = [process.execPath, join(packageRoot(), "bin/pgherd"), ...args];
    return labExec(this.name, [...command, "--config-file", this.#stackFile]);
  }

  /** Runs a shell command on a host, as a user who may `sudo`. */
  onHost(host: string, command: string, input?: string): Promise<string> {
    return hostExec(this.name, host, command, { input });
  }

  /** Runs SQL as the superuser on a member itself. */
  async sql(host: string, text: string, database = "postgres"): Promise<string> {
    const psql = `cd / && sudo -u postgres psql -XAtq -d ${database}`;
    return (await this.onHost(host, psql, `${text}\n`)).trim();
  }

  get #stackFile(): string {
    this.#folder ??= mkdtempSync(join(tmpdir(), "pgherd-"));
    return join(this.#folder, "stack.yaml");
  }
}
