import { parseConnections } from "../config/connections";
import type { Inventory } from "../host/target";
import type { Values } from "../rpc/values";

/** An inventory with the hosts that the stack had once and names no more: what stands on them can still be removed. */
export interface KeptInventory extends Inventory {
  readonly former?: Inventory["hosts"];
  /** Hosts of former members that are gone for good: that they cannot be reached keeps nobody from going on. */
  readonly removed?: readonly string[];
}

/**
 * The hosts as they are reached in this run. A refresh and a destroy run no program: the engine hands them the inventory
 * of the last run, which leads nowhere once a user, a key or a host key has changed. The stack's settings of this run
 * stand in the environment of every provider (pulumi/pkg/host/host.go, `Provider`), and are the truth.
 * @param recorded the inventory that the engine configures the provider with.
 * @param environment `PULUMI_CONFIG`: the stack's values by their name, each as text.
 * @param unreadable called if those cannot be read; then the recorded ones are used.
 */
export function currentInventory(
  { hosts, ssh, former }: KeptInventory,
  environment: string | undefined,
  unreadable: () => void,
): Inventory {
  const known = { ...former, ...hosts };
  try {
    const values = JSON.parse(environment ?? "{}") as { [name: string]: string };
    const stack = parseConnections({ hosts: block(values.hosts), ssh: block(values.ssh) });
    return stack ? { hosts: { ...known, ...stack.hosts }, ssh: stack.ssh } : { hosts: known, ssh };
  } catch {
    unreadable();
    return { hosts: known, ssh };
  }
}

/**
 * Hosts of former members that the stack has given up, by the settings of this run as by what the program says: a refresh, which
 * comes before the program, must not wait for them.
 */
export function removedHosts(
  { removed = [] }: KeptInventory,
  environment: string | undefined,
): string[] {
  const now = ofCluster(environment)?.removed;
  return [...new Set([...removed, ...(Array.isArray(now) ? now.map(String) : [])])];
}

/** Whether the stack's own settings tell what its cluster is, and name the host nowhere in it. */
export function isNamedNowhere(host: string, environment: string | undefined): boolean {
  const cluster = ofCluster(environment);
  return cluster !== undefined && !textsIn(cluster).includes(host);
}

function textsIn(value: unknown): string[] {
  if (typeof value === "string") return [value];
  return value !== null && typeof value === "object" ? Object.values(value).flatMap(textsIn) : [];
}

/** What of `pgherd:cluster` is to be read; nothing where a program of the user's own has it. */
function ofCluster(environment: string | undefined): { readonly removed?: unknown } | undefined {
  try {
    const { cluster } = JSON.parse(environment ?? "{}") as { cluster?: string };
    const found = block(cluster);
    return found !== null && typeof found === "object" ? found : undefined;
  } catch {
    return undefined;
  }
}

function block(text: string | undefined): unknown {
  return text === undefined ? undefined : JSON.parse(text);
}

/** The provider's inputs with the hosts that only those of the last run name. */
export function keepFormerHosts(inputs: Values, oldInputs: Values): Values {
  const wanted = inputs.inventory as unknown as KeptInventory;
  const old = oldInputs.inventory as unknown as KeptInventory | undefined;
  const former = Object.entries({ ...old?.former, ...old?.hosts }).filter(
    ([name]) => !Object.hasOwn(wanted.hosts, name),
  );
  if (former.length === 0) return inputs;
  const inventory: KeptInventory = { ...wanted, former: Object.fromEntries(former) };
  return { ...inputs, inventory: inventory as unknown as Values };
}
