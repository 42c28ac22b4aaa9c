/** The power switches of a lab's hosts. */
export interface PowerSwitch {
  /** Which hosts there are, and whether they run: `{ db1: "up", db2: "off" }`. */
  states(): { readonly [host: string]: "up" | "booting" | "off" };
  /** Cuts a host's power, or starts it again; ends when that is done. */
  turn(host: string, on: boolean): Promise<void>;
}
