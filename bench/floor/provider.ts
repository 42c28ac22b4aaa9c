import { serve, type Provider } from "../../src/rpc/server";
import { sameValue } from "../../src/rpc/values";

/** Takes every resource for what the program says it is, and does nothing. */
const floor: Provider = {
  async configure() {},
  async check(_id, inputs) {
    return { inputs };
  },
  async diff(_id, state, inputs) {
    const changed = Object.keys(inputs).filter((key) => !sameValue(state[key], inputs[key]));
    return { changes: Object.fromEntries(changed.map((key) => [key, "update" as const])) };
  },
  async create({ urn }, inputs) {
    return { id: urn, state: inputs };
  },
  async read(_id, resource, state, inputs) {
    return { id: resource, state, inputs };
  },
  async update(_id, _resource, _state, inputs) {
    return inputs;
  },
  async delete() {},
  async cancel() {},
};

void serve(floor, "0.0.0");
