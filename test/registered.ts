import * as pulumi from "@pulumi/pulumi";
import type { HostsFacts } from "../src/resources/inputs/preflight";
import { SOURCE } from "./source";

/** How the SDK marks a secret on its way to the engine. */
const SECRET = "4dabf18193072939515e22adb298388d";

/** A resource as the engine is asked for it. */
export interface Registered {
  readonly type: string;
  readonly name: string;
  /** Its parent's URN; empty for what has none. */
  readonly parent: string;
  readonly inputs: { readonly [key: string]: unknown };
  /** URNs. */
  readonly dependencies: readonly string[];
  readonly deleteBeforeReplace: boolean;
  readonly provider: string;
}

/** What the provider would have learned of the hosts. */
const FACTS: HostsFacts = {
  smallest: { memory: 8 * 2 ** 30, cores: 4, disk: 200 * 2 ** 30 },
  versions: { patroni: "4.0.7" },
};

/**
 * Stands in for the engine from now on. Every resource that a program registers is in the list that it returns.
 * @param options.made whether a random password is there already; default: each.
 * @param options.facts what the provider has learned beside.
 */
export async function recordResources(
  options: {
    readonly preview?: boolean;
    readonly made?: (name: string) => boolean;
    readonly facts?: Partial<HostsFacts>;
  } = {},
): Promise<Registered[]> {
  const { preview = false, made = () => true, facts } = options;
  await pulumi.runtime.setMocks(
    {
      newResource: ({ name, type, inputs }) => ({
        id: name,
        state: {
          ...inputs,
          // The engine keeps this output secret, as @pulumi/random asks it to.
          ...(type.startsWith("random:") &&
            made(name) && { result: pulumi.secret(`password-of-${name}`) }),
          ...(type === "pgherd:index:Preflight" && { facts: { ...FACTS, ...facts } }),
          ...(type === "pgherd:index:Survey" && { source: SOURCE }),
          ...(type === "pgherd:index:PatroniCluster" && {
            systemIdentifier: SOURCE.systemIdentifier,
          }),
          ...(type === "pgherd:index:Fork" && { host: "db2" }),
        },
      }),
      call: () => ({}),
    },
    "pgherd",
    "lab",
    preview,
  );
  return spy();
}

/** Waits until the program has registered all that it has to. */
export function allRegistered(): Promise<void> {
  return pulumi.runtime.disconnect();
}

/** Notes every registration, with what the mocks alone do not tell. */
function spy(): Registered[] {
  const registered: Registered[] = [];
  const monitor = (
    pulumi.runtime as unknown as { getMonitor(): { registerResource: Register } }
  ).getMonitor();
  const original = monitor.registerResource.bind(monitor);
  monitor.registerResource = (request, done) => {
    registered.push({
      type: request.getType(),
      name: request.getName(),
      parent: request.getParent(),
      inputs: (request.getObject()?.toJavaScript() ?? {}) as Registered["inputs"],
      dependencies: request.getDependenciesList(),
      deleteBeforeReplace: request.getDeletebeforereplace(),
      provider: request.getProvider(),
    });
    return original(request, done);
  };
  return registered;
}

type Register = (
  request: {
    getType(): string;
    getName(): string;
    getParent(): string;
    getObject(): { toJavaScript(): object } | undefined;
    getDependenciesList(): string[];
    getDeletebeforereplace(): boolean;
    getProvider(): string;
  },
  done: unknown,
) => unknown;

export function isSecret(value: unknown): value is { readonly value: unknown } {
  return typeof value === "object" && value !== null && SECRET in value;
}

/** The engine's identity of a resource: the types from the root down, and its name. */
export function urnOf({ type, name, parent }: Registered): string {
  const above = parent.split("::")[2];
  const chain = above && above !== "pulumi:pulumi:Stack" ? `${above}$${type}` : type;
  return `${chain}::${name}`;
}
