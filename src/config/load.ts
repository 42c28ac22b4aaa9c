import * as pulumi from "@pulumi/pulumi";
import { GIVEN_SECRETS, type GivenSecret, rawSettings } from "./parse";

/** What the stack that the program runs for says to pgherd, not checked yet. */
interface StackSettings {
  /** The cluster's; `cluster` where it has none, which is refused later. */
  readonly name: string;
  readonly settings: { readonly [block: string]: unknown };
  readonly secrets: { readonly [name in GivenSecret]?: pulumi.Output<string> };
}

export function loadSettings(): StackSettings {
  const texts = Object.entries(pulumi.runtime.allConfig());
  const raw = rawSettings(Object.fromEntries(texts.map(([key, text]) => [key, fromJson(text)])));
  const { cluster } = raw as { cluster?: { readonly name?: unknown } | null };
  const config = new pulumi.Config("pgherd");
  const block = cluster && typeof cluster === "object" && !Array.isArray(cluster);
  return {
    name: String(cluster?.name ?? "cluster"),
    // A stack names its cluster.
    settings: block ? { ...raw, cluster: { name: undefined, ...cluster } } : raw,
    secrets: Object.fromEntries(GIVEN_SECRETS.map((name) => [name, config.getSecret(name)])),
  };
}

/** Pulumi keeps blocks as JSON. */
function fromJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
