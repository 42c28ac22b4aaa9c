import { ConnectError, PgherdError } from "../errors";
import { filesProbe, type FoundFile } from "../facts/files";
import {
  bodyOf,
  firewallProbe,
  onTrialProbe,
  RULES_FILE,
  type FirewallState,
} from "../facts/firewall";
import type { Host } from "../host/host";
import { changedFiles } from "../operations/files";
import {
  firewallFiles,
  keepRules,
  removeFirewall,
  TRIAL_SECONDS,
  tryRules,
} from "../operations/firewall";
import type { FirewallInputs } from "../resources/inputs";
import type { Context } from "./context";
import type { ResourceType } from "./resource";

export const firewall: ResourceType<FirewallInputs> = {
  identity: ["cluster", "host"],
  id: ({ cluster, host }) => `${cluster}/${host}/firewall`,

  /** New rules are kept only once they have let this controller in again; else the host takes them back by itself. */
  async apply(context, urn, inputs) {
    const found = await look(context, inputs);
    if (!differs(inputs, found)) return state(inputs, found);
    const host = context.host(inputs.host);
    context.progress(urn, "trying the new rules");
    await host.change("trying the firewall's rules", tryRules(inputs.rules));
    const refusal = await shutOut(host);
    if (refusal) {
      context.progress(urn, "waiting until the host has taken the new rules back");
      throw await explain(host, refusal);
    }
    await host.change("keeping the firewall's rules", keepRules());
    return state(inputs, await look(context, inputs));
  },

  async read(context, inputs) {
    return state(inputs, await look(context, inputs));
  },

  async delete(context, _urn, { host }) {
    await context.host(host).change("removing the firewall", removeFirewall());
  },
};

interface Found extends FirewallState {
  readonly files: { readonly [path: string]: FoundFile };
}

async function look(context: Context, { host, rules }: FirewallInputs): Promise<Found> {
  const [loaded, files] = await Promise.all([
    context.host(host).observe(firewallProbe()),
    context.host(host).observe(filesProbe(Object.keys(firewallFiles(rules)))),
  ]);
  return { ...loaded, files };
}

function differs(inputs: FirewallInputs, found: Found): boolean {
  return (
    found.loaded !== inputs.loaded ||
    found.enabled !== inputs.enabled ||
    changedFiles(firewallFiles(inputs.rules), found.files).length > 0
  );
}

function state({ cluster, host }: FirewallInputs, found: Found): FirewallInputs {
  return {
    cluster,
    host,
    rules: bodyOf(found.files[RULES_FILE]?.content ?? ""),
    loaded: found.loaded,
    enabled: found.enabled,
  };
}

/** Seconds in which the host must let a new connection in; less than it tries the rules for. */
const LOGIN_SECONDS = 20;

/** Why the host lets no new connection in; `undefined` if it does. */
async function shutOut(host: Host): Promise<ConnectError | undefined> {
  const start = Date.now();
  for (;;) {
    try {
      await host.reconnect(LOGIN_SECONDS / 2);
      return undefined;
    } catch (error) {
      if (!(error instanceof ConnectError)) throw error;
      if (Date.now() - start >= LOGIN_SECONDS * 1000) return error;
      await pause();
    }
  }
}

/** Waits until the host has taken the rules back, so that the next run does not meet them. */
async function explain(host: Host, refusal: ConnectError): Promise<PgherdError> {
  const gone = await takenBack(host);
  const ending = gone
    ? `the host has taken them back after ${TRIAL_SECONDS} seconds.`
    : `the host takes them back by itself after ${TRIAL_SECONDS} seconds, but does not answer yet.`;
  return new PgherdError(
    `${host.name}: the new firewall rules shut out this controller; ${ending}\n` +
      `Meanwhile: ${refusal.message.split("\n")[0]}`,
    "Add its network to pgherd:cluster.firewall.ssh.",
    { cause: refusal },
  );
}

async function takenBack(host: Host): Promise<boolean> {
  const start = Date.now();
  while (Date.now() - start < 2 * TRIAL_SECONDS * 1000) {
    // The connection in use may be cut off as well; then a new one comes about once the rules are gone.
    const onTrial = await host.observe(onTrialProbe()).catch(() => true);
    if (!onTrial) return true;
    await pause();
  }
  return false;
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 1000));
}
