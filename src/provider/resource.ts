import type { CheckFailure } from "../rpc/server";
import type { Value, Values } from "../rpc/values";
import type { Context } from "./context";

/**
 * A type of resource. Its state holds every input as it was found on the hosts, and what else was learned there; so a
 * difference between state and inputs is what has to be changed, whether the user changed it or somebody on a host.
 */
export interface ResourceType<Inputs, Learned = object> {
  /** Inputs that make it another resource when they change. */
  readonly identity: readonly string[];
  /** Inputs that follow from other resources': a preview shows them once, where they come from. */
  readonly derived?: readonly string[];
  /** Inputs that are only looked at, by `check` or on the way: a difference in them is nothing to be done. */
  readonly judged?: readonly string[];
  /**
   * Short forms of inputs that a preview shows of what is new, by input or by key of one that is an object. Never of what may
   * be secret.
   */
  brief?(inputs: Inputs): { readonly [input in keyof Inputs]?: Value };
  /** Readable and parseable: `demo/db1/etcd`. */
  id(inputs: Inputs): string;
  /** Whether `apply` only looks: then it runs in previews too, so that what it learns is known there. */
  readonly readOnly?: true;
  /**
   * What a read-only look at the hosts forbids. Runs in every preview, before anything is changed.
   * @param oldInputs those of the last run; none in the first.
   * @param urn for warnings.
   */
  check?(
    context: Context,
    inputs: Inputs,
    oldInputs: Partial<Inputs>,
    urn: string,
  ): Promise<CheckFailure[]>;
  /**
   * Makes it so, for create and update alike: looks, changes only what differs, and returns what is there then.
   * May be killed at any point; the next call goes on from what it finds.
   * @param known the state that was recorded last; none when it is created.
   */
  apply(
    context: Context,
    urn: string,
    inputs: Inputs,
    known?: Inputs & Learned,
  ): Promise<Inputs & Learned>;
  /**
   * What an update will do to the running service, in plain words for the preview: `reloads haproxy on lb1; sessions
   * go on`. Asked only when something differs. Changes nothing.
   * @param known the state that was recorded last, or found by a refresh.
   */
  foresee?(context: Context, inputs: Inputs, known: Inputs & Learned): Promise<string[]>;
  /**
   * What is remembered where `apply` has failed, if that is more than the inputs.
   * @param known the state that was recorded last.
   */
  unfinished?(inputs: Inputs, known: Inputs & Learned): Inputs;
  /**
   * What is there now; `undefined` only if it is known to be gone.
   * @param known the state that was recorded last.
   */
  read(
    context: Context,
    inputs: Inputs,
    known: Inputs & Learned,
  ): Promise<(Inputs & Learned) | undefined>;
  /** Takes it out of service. Never touches data. */
  delete(context: Context, urn: string, inputs: Inputs): Promise<void>;
}

/** A type as the dispatcher sees it: the engine's values go in and come out. */
export type AnyResourceType = ResourceType<Values>;

/** The engine keeps its promise to send what the program registered; beyond that nothing checks these values. */
export function untyped<Inputs extends object, Learned>(
  type: ResourceType<Inputs, Learned>,
): AnyResourceType {
  return type as unknown as AnyResourceType;
}

/**
 * Stands in the state of what could not be brought about, until it is. The engine forgets a failure with the next
 * refresh, and not every type can read from the hosts whether it has come to its end.
 */
export const UNFINISHED = { unfinished: true };

/** Whether the last run could not bring it about. @param known the state that was recorded last. */
export function isUnfinished(known: object | undefined): boolean {
  return known !== undefined && "unfinished" in known;
}
