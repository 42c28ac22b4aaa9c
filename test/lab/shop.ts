import { mkdtempSync, renameSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { labExec } from "../../src/lab/exec";
import { packageRoot } from "../../src/package-root";

// Clients of a server that is migrated, as stranger.sh has set it up: how long each step keeps them from their rows.

/** Of the server's users. */
export const PASSWORD = "correct-horse";

export interface StepReport {
  readonly writeMs: number;
  readonly readMs: number;
  readonly writes: number;
  readonly reads: number;
}

export interface ShopReport {
  readonly acknowledged: readonly number[];
  readonly unknown: readonly number[];
  readonly steps: { readonly [step: string]: StepReport };
}

/** Clients that write and read all the time. */
export class Shop {
  private readonly folder = mkdtempSync(join(tmpdir(), "pgherd-shop-"));
  private readonly done: Promise<string>;

  constructor(lab: string, ...uris: string[]) {
    this.move(...uris);
    this.step("before");
    this.done = labExec(
      lab,
      [process.execPath, join(packageRoot(), "test/lab/shopper.cjs"), this.folder],
      {
        env: { PGPASSWORD: PASSWORD },
      },
    );
  }

  /** Tells the clients where the database is now; of several places they try one after the other. */
  move(...uris: string[]): void {
    this.say("uri", uris.join("\n"));
  }

  step(name: string): void {
    this.say("step", name);
  }

  async close(): Promise<ShopReport> {
    this.say("stop", "");
    return JSON.parse(await this.done) as ShopReport;
  }

  private say(name: string, text: string): void {
    writeFileSync(join(this.folder, `${name}.new`), text);
    renameSync(join(this.folder, `${name}.new`), join(this.folder, name));
  }
}
