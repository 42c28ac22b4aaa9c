import { rmSync } from "node:fs";
import { PgherdError } from "../src/errors";
import { run, type Command } from "./commands";
import { contenders, type Contender, type ContenderName } from "./contenders";
import { APT, ENGINE } from "./floors";
import { peakMemory } from "./memory";
import { requireSameResult } from "./parity";
import { pythonTools } from "./python";
import { renderMeasurement } from "./report";
import type { Measurement, Part, Results, Runner } from "./results";
import { makeSite, writePeers, type Site } from "./site";
import { blankHosts, bootHosts, type Size } from "./sizes";
import { forgetStack, remembered } from "./stack";

export interface Plan {
  readonly parts: readonly Part[];
  readonly sizes: readonly Size[];
  readonly contenders: readonly ContenderName[];
  /** How often each command is run. */
  readonly rounds: number;
  readonly freshRounds: number;
  /** Shows how far it is. */
  readonly say: (text: string) => void;
}

/** The size at which everything is measured; at the others only the run that changes nothing. */
const MAIN_SIZE: Size = 5;

/** The size at which the provider's memory is looked at. */
const LARGEST: Size = 20;

/** Measures everything that is asked for, on hosts of the lab `bench`. */
export async function benchmark(plan: Plan): Promise<Results> {
  const all = contenders(await pythonTools(plan.say));
  const measurements: Measurement[] = [];
  let memory: Results["memory"];
  for (const size of plan.sizes) {
    const parts = plan.parts.filter((part) => part === "no-op" || size === MAIN_SIZE);
    if (parts.length === 0) continue;
    const site = makeSite(size);
    try {
      const bench = new Bench(plan, site, all);
      const looks = parts.filter((part) => part !== "fresh");
      await bench.prepare();
      if (looks.length > 0) await bench.agree();
      for (const part of looks) measurements.push(...(await bench.measure(part)));
      if (size === LARGEST) memory = { size, bytes: await bench.memory() };
      // Last, because it leaves hosts behind of which pgherd's stack knows nothing.
      if (parts.includes("fresh")) measurements.push(...(await bench.measure("fresh")));
    } finally {
      rmSync(site.folder, { recursive: true });
    }
  }
  return { measurements, memory };
}

/** What is done on the hosts of one size. */
class Bench {
  private readonly pgherd: Contender;
  private readonly chosen: readonly Contender[];

  constructor(
    private readonly plan: Plan,
    private readonly site: Site,
    all: readonly Contender[],
  ) {
    this.pgherd = all[0] as Contender;
    this.chosen = all.filter(({ name }) => plan.contenders.includes(name));
  }

  /** Blank hosts become a cluster, by pgherd; its passwords are those of all contenders. */
  async prepare(): Promise<void> {
    const { plan, site } = this;
    plan.say(`booting the hosts of a cluster of ${site.size}`);
    await bootHosts(site.size, () => {});
    await this.blank();
    plan.say("deploying it");
    await run(this.pgherd.deploy(site));
    const stack = await remembered();
    writePeers(site, stack);
    await ENGINE.prepare(site, stack);
  }

  /** Makes sure that every contender finds the cluster as it would have made it itself. */
  async agree(): Promise<void> {
    const { plan, site } = this;
    for (const contender of this.chosen) {
      plan.say(`looking by ${contender.name} at what pgherd has deployed`);
      // Ansible installs Python on hosts that have none: the first time something changes.
      await run(contender.again(site));
      await this.unchanged(contender, contender.again(site));
    }
  }

  measure(part: Part): Promise<Measurement[]> {
    switch (part) {
      case "fresh":
        return this.fresh();
      case "no-op":
        return this.inTurns(part, this.chosen, (contender) =>
          this.unchanged(contender, contender.again(this.site)),
        );
      case "dry-run":
        return this.inTurns(part, this.chosen, (contender) =>
          this.unchanged(contender, contender.dryRun(this.site)),
        );
      case "change":
        return this.changes();
    }
  }

  /** The most memory, in bytes, that the provider holds in a run that changes nothing. */
  async memory(): Promise<number> {
    const bytes = await peakMemory(() => run(this.pgherd.again(this.site)));
    this.plan.say(`the provider held at most ${Math.round(bytes / 1e6)} MB`);
    return bytes;
  }

  /** All contenders once, then all of them again: what slows the machine down for a while slows all of them. */
  private async inTurns(
    part: Part,
    runners: readonly Contender[],
    once: (contender: Contender) => Promise<number[]>,
    floor: () => Promise<number> = async () => (await run(ENGINE.command(this.site, part))).seconds,
  ): Promise<Measurement[]> {
    const times = new Map<Runner, number[]>();
    const add = (runner: Runner, seconds: readonly number[]) =>
      times.set(runner, [...(times.get(runner) ?? []), ...seconds]);
    const rounds = part === "fresh" ? this.plan.freshRounds : this.plan.rounds;
    for (let round = 0; round < rounds; round++) {
      for (const contender of runners) add(contender.name, await once(contender));
      add("floor", [await floor()]);
    }
    const measured = [...times].map(([runner, seconds]): Measurement => {
      return { part, size: this.site.size, runner, seconds };
    });
    for (const one of measured) this.plan.say(renderMeasurement(one));
    return measured;
  }

  private async unchanged(contender: Contender, command: Command): Promise<number[]> {
    const { output, seconds } = await run(command);
    if (!contender.unchanged(output))
      throw new PgherdError(
        `${contender.name}: expected a run that changes nothing, got:\n${output.split("\n").slice(-60).join("\n")}`,
      );
    return [seconds];
  }

  /** There and back, which is as much work. */
  private changes(): Promise<Measurement[]> {
    const once = async (contender: Contender): Promise<number[]> => {
      const times: number[] = [];
      for (const changed of [true, false]) {
        const { output, seconds } = await run(contender.change(this.site, changed));
        if (contender.unchanged(output))
          throw new PgherdError(`${contender.name}: expected a changed timeout, got:\n${output}`);
        times.push(seconds);
      }
      return times;
    };
    return this.inTurns("change", this.chosen, once);
  }

  private fresh(): Promise<Measurement[]> {
    const once = async (contender: Contender): Promise<number[]> => {
      await this.blank();
      const { seconds } = await run(contender.deploy(this.site));
      await requireSameResult(contender.name, this.site);
      return [seconds];
    };
    const floor = async () => {
      await this.blank();
      return APT.seconds(this.site);
    };
    return this.inTurns("fresh", this.chosen, once, floor);
  }

  /** Blank hosts, of which neither an engine's state nor an open connection knows anything. */
  private async blank(): Promise<void> {
    await blankHosts();
    rmSync(this.site.controlSockets, { recursive: true, force: true });
    await forgetStack();
  }
}
