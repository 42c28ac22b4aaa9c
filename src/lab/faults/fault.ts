import type { LabPaths } from "../paths";
import type { LabState } from "../state";

/** A lab whose hosts are to suffer. */
export interface Victim {
  readonly name: string;
  readonly paths: LabPaths;
  readonly state: LabState;
  /** Of this one fault in this lab: names what it leaves behind, so that it is found again. */
  readonly id: string;
}

/**
 * A kind of fault. Healing takes nothing but what it was told, so that any process can do it, should the one that
 * inflicted it be gone.
 */
export interface Fault<Args> {
  /** In a few words: `db1 hanging`. */
  describe(args: Args): string;
  /** Hosts that are named in it, which must exist. */
  hosts(args: Args): readonly string[];
  inflict(victim: Victim, args: Args): Promise<void>;
  /** Undoes it. Half inflicted, or healed already, is fine. */
  heal(victim: Victim, args: Args): Promise<void>;
}
