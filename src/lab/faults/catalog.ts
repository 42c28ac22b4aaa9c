import { corrupt, remove } from "./data";
import { fill, slow } from "./disk";
import type { Fault } from "./fault";
import { flap } from "./flap";
import { hang } from "./hang";
import { cut, isolate } from "./network";
import { power, reboot } from "./power";
import { abandon, kill, stop, suspend } from "./processes";

/** Every kind of fault, by the name under which it is kept on record. */
export const FAULTS = {
  power,
  reboot,
  hang,
  kill,
  suspend,
  abandon,
  stop,
  isolate,
  cut,
  flap,
  fill,
  slow,
  corrupt,
  remove,
};

export type Kind = keyof typeof FAULTS;

/** What a kind of fault has to be told. */
type ArgsOf<K extends Kind> = (typeof FAULTS)[K] extends Fault<infer Args> ? Args : never;

/** A fault that is wanted: `{ kind: "hang", args: { hosts: ["db1"] } }`. */
export type Wish = { readonly [K in Kind]: { readonly kind: K; readonly args: ArgsOf<K> } }[Kind];

/** A kind whose arguments are those that were kept with it. */
export function faultOf(kind: Kind): Fault<object> {
  return FAULTS[kind] as unknown as Fault<object>;
}
