import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Host, type RunOptions } from "../host/host";

/** What a test does to a run, and at which of its changes: once, at the first that fits. */
export interface Interruption {
  /**
   * `provider` and `engine` end like that process on SIGKILL, `ctrl-c` sends the engine a SIGINT, `cut` breaks the
   * host's connection, and `hold` waits for the file `go`, while the test does something to the host.
   */
  readonly how: "provider" | "engine" | "ctrl-c" | "cut" | "hold";
  /** Before the host is told, while its script runs, or when that has ended and nobody knows yet. */
  readonly when: "before" | "during" | "after";
  /** Regular expression for the host's name and the action: `^db1 installing packages$`. */
  readonly step: string;
}

/** A script that is interrupted while it runs waits for this long first, and the interruption comes in between. */
const DELAY_SECONDS = 2;

/**
 * The class of all hosts. Tests name a folder in `PGHERD_TEST_STEPS`: before and after each change of a host a line is
 * appended to the file `steps` there (`after db1 installing packages`), and the file `interruption`, if there is one,
 * says where the run is interrupted and how.
 */
export function hostClass(folder = process.env.PGHERD_TEST_STEPS): typeof Host {
  return folder ? interruptedHost(folder) : Host;
}

function interruptedHost(folder: string): typeof Host {
  const file = join(folder, "interruption");
  let planned = existsSync(file)
    ? (JSON.parse(readFileSync(file, "utf8")) as Interruption)
    : undefined;
  const isPlanned = (when: Interruption["when"], step: string) =>
    planned?.when === when && new RegExp(planned.step).test(step);

  return class extends Host {
    override async change(action: string, script: string, options?: RunOptions): Promise<string> {
      const step = `${this.name} ${action}`;
      await this.reached("before", step);
      const during = isPlanned("during", step);
      const change = super.change(action, during ? delayed(script) : script, options);
      if (during) {
        await Promise.race([change, pause((DELAY_SECONDS * 1000) / 2)]);
        await Promise.all([change, this.reached("during", step)]);
      }
      await change;
      await this.reached("after", step);
      return change;
    }

    private async reached(when: Interruption["when"], step: string): Promise<void> {
      if (when !== "during") appendFileSync(join(folder, "steps"), `${when} ${step}\n`);
      if (!planned || !isPlanned(when, step)) return;
      const { how } = planned;
      planned = undefined;
      if (how === "cut") await this.cut();
      else if (how === "hold") await untilThere(join(folder, "go"));
      else if (how === "ctrl-c") process.kill(process.ppid, "SIGINT");
      else {
        process.kill(how === "engine" ? process.ppid : process.pid, "SIGKILL");
        // The engine is gone: this process must find that out by itself, and has nobody to answer.
        await new Promise(() => {});
      }
    }

    private async cut(): Promise<void> {
      (await this.connection)?.close();
    }
  };
}

function delayed(script: string): string {
  return `sleep ${DELAY_SECONDS}\n${script}`;
}

async function untilThere(file: string): Promise<void> {
  while (!existsSync(file)) await pause(50);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
