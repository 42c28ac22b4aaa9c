import type { Provider, ResourceId } from "../rpc/server";
import type { Value, Values } from "../rpc/values";
import { abridge, abridgeLike, whole } from "./abridged";

/**
 * A provider as the engine meets it: to the engine what is new goes in short forms, from it everything comes whole.
 * @param shortForms of a resource's inputs.
 */
export function abridging(
  inner: Provider,
  shortForms: (id: ResourceId, inputs: Values) => { readonly [name: string]: Value | undefined },
): Provider {
  return {
    ...inner,
    async check(id, inputs, oldInputs, seed) {
      const before = whole(oldInputs);
      const checked = await inner.check(id, whole(inputs), before, seed);
      const short = shortForms(id, checked.inputs);
      return { ...checked, inputs: abridge(checked.inputs, short, before) };
    },
    diff(id, state, inputs, oldInputs) {
      return inner.diff(id, whole(state), whole(inputs), whole(oldInputs));
    },
    async create(id, inputs, preview) {
      const made = await inner.create(id, whole(inputs), preview);
      return { ...made, state: abridgeLike(made.state, inputs) };
    },
    /** Whole also in the state from then on: a later difference is shown by its lines. */
    read(id, name, state, inputs) {
      return inner.read(id, name, whole(state), whole(inputs));
    },
    async update(id, name, state, inputs, preview) {
      const made = await inner.update(id, name, whole(state), whole(inputs), preview);
      return abridgeLike(made, inputs);
    },
    delete(id, name, state) {
      return inner.delete(id, name, whole(state));
    },
  };
}
