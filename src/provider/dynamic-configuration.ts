import { CommandError } from "../errors";
import { keyProbe } from "../facts/etcd";
import { dcsKey } from "../facts/patroni";
import { setKey } from "../operations/etcd";
import { sameValue, type Values } from "../rpc/values";
import type { Context } from "./context";
import type { DynamicConfigurationInputs } from "../resources/inputs";
import type { ResourceType } from "./resource";

/**
 * What is switched while the cluster runs, by `patronictl pause` or the end of a migration: never overwritten. Without
 * `standby_cluster` a standby cluster takes writes.
 */
const RUNTIME_KEYS = ["pause", "standby_cluster"];

export const dynamicConfiguration: ResourceType<DynamicConfigurationInputs> = {
  identity: ["cluster"],
  id: ({ cluster }) => `${cluster}/configuration`,

  async apply(context, _urn, inputs) {
    const found = await look(context, inputs);
    if (!found || !sameValue(found.configuration, inputs.configuration)) {
      const value = JSON.stringify({
        ...inputs.configuration,
        ...(found ? found.runtime : inputs.beginning),
      });
      await context
        .host(inputs.host)
        .change(
          "changing the dynamic configuration",
          setKey(inputs.endpoints, key(inputs), value, found?.revision ?? "0"),
        );
    }
    return inputs;
  },

  async read(context, inputs, known) {
    try {
      const found = await look(context, inputs);
      return found && { ...inputs, configuration: found.configuration };
    } catch (error) {
      // Without etcd nothing can be said about it. That etcd is down shows on its own resources.
      if (error instanceof CommandError) return known;
      throw error;
    }
  },

  /** It describes data that stays. */
  async delete() {},
};

interface Found {
  readonly configuration: Values;
  readonly runtime: Values;
  readonly revision: string;
}

async function look(
  context: Context,
  inputs: DynamicConfigurationInputs,
): Promise<Found | undefined> {
  const found = await context.host(inputs.host).observe(keyProbe(inputs.endpoints, key(inputs)));
  if (!found) return undefined;
  const all = JSON.parse(found.value) as Values;
  const part = (runtime: boolean) =>
    Object.fromEntries(
      Object.entries(all).filter(([name]) => RUNTIME_KEYS.includes(name) === runtime),
    );
  return { configuration: part(false), runtime: part(true), revision: found.revision };
}

function key({ cluster }: DynamicConfigurationInputs): string {
  return dcsKey(cluster, "config");
}
