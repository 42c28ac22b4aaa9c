import { ConnectError, PgherdError } from "../errors";
import { filesProbe, type FoundFile } from "../facts/files";
import {
  bodyOf,
  firewallProbe,
  isClosed,
  onTrialProbe,
  RULES_FILE,
  type FirewallState,
} from "../facts/firewall";
import type { Host } from "../host/host";
import { changedFiles } from "../operations/files";
import {
  firewallFiles,
  keepRules,
  loadRules,
  openFirewall,
  removeFirewall,
  tryRules,
} from "../operations/firewall";
import type { FirewallInputs, NewPortsInputs } from "../resources/inputs/firewall";
import type { Context } from "./context";
import { formerIn } from "./former-in";
import type { ResourceType } from "./resource";

export const firewall: ResourceType<FirewallInputs> = {
  identity: ["cluster", "host"],
  derived: ["crossing"],
  id: ({ cluster, host }) => `${cluster}/${host}/firewall`,

  /** New rules are kept only once they have let this controller in again; else the host takes them back by itself. */
  async apply(context, urn, inputs) {
    const found = await look(context, inputs);
    const rules = await wantedRules(context, inputs, found);
    if (!differs(inputs, rules, found)) return stateOf(inputs, found);
    await close(context, urn, { ...inputs, rules });
    return stateOf(inputs, await look(context, inputs));
  },

  async read(context, inputs) {
    return stateOf(inputs, await look(context, inputs));
  },

  /** On the host of a migrated server the cluster's daemons, which end later, stay for the cluster alone. */
  async delete(context, _urn, { host, beginning }) {
    await context
      .host(host)
      .change("removing the firewall", beginning ? openFirewall(beginning) : removeFirewall());
  },
};

/** The rules of a host that clients still reach itself; where it has been closed, the rules that it was closed with. */
export const newPorts: ResourceType<NewPortsInputs> = {
  identity: ["cluster", "host"],
  id: ({ cluster, host }) => `${cluster}/${host}/new-ports`,

  async apply(context, urn, inputs) {
    const found = await look(context, inputs);
    const closed = isClosed(found.rules);
    const wanted = closed ? inputs.rules : inputs.beginning;
    if (differs(inputs, wanted, found)) {
      if (closed) await close(context, urn, inputs);
      else {
        await context
          .host(inputs.host)
          .change("keeping the new ports for the cluster", loadRules(wanted));
      }
    }
    return stateOfNewPorts(inputs, await look(context, inputs));
  },

  async read(context, inputs) {
    return stateOfNewPorts(inputs, await look(context, inputs));
  },

  async delete(context, _urn, inputs) {
    // Of a closed host another resource takes care.
    if (isClosed((await look(context, inputs)).rules)) return;
    await context.host(inputs.host).change("removing the firewall", removeFirewall());
  },
};

/** While those who voted in the DCS before do so still, they are let in; whoever takes them out closes the firewall. */
async function wantedRules(
  context: Context,
  { cluster, rules, crossing }: FirewallInputs,
  found: Found,
): Promise<string> {
  if (!crossing || found.rules === rules || found.rules === crossing.rules) {
    return crossing && found.rules === crossing.rules ? crossing.rules : rules;
  }
  const left = await context.once(`${cluster}: former voters`, () => formerIn(context, crossing));
  // Where nobody tells, they may vote still.
  return left?.length === 0 ? rules : crossing.rules;
}

/** Open for a crossing is as it is to be, too: that it must be closed shows elsewhere (former-voters.ts). */
function stateOf(inputs: FirewallInputs, found: Found): FirewallInputs {
  const crosses = inputs.crossing && found.rules === inputs.crossing.rules;
  return state(inputs, crosses ? { ...found, rules: inputs.rules } : found);
}

/** The rules that a host has on its disk. */
export async function rulesOn(context: Context, host: string): Promise<string> {
  const found = await context.host(host).observe(filesProbe([RULES_FILE]));
  return bodyOf(found[RULES_FILE]?.content ?? "");
}

/** Loads rules and keeps them, as an update does. */
export async function close(
  context: Context,
  urn: string,
  inputs: Pick<FirewallInputs, "host" | "rules">,
): Promise<void> {
  const host = context.host(inputs.host);
  context.progress(urn, "trying the new rules");
  const login = loginSeconds(await host.loginSeconds());
  const trial = trialSeconds(login);
  await host.change("trying the firewall's rules", tryRules(inputs.rules, trial));
  const refusal = await shutOut(host, login);
  if (refusal) {
    context.progress(urn, "waiting until the host has taken the new rules back");
    throw await explain(host, refusal, trial);
  }
  await host.change("keeping the firewall's rules", keepRules());
}

interface Found extends FirewallState {
  /** The body of the table in the rules file. */
  readonly rules: string;
  readonly files: { readonly [path: string]: FoundFile };
}

async function look(context: Context, { host, rules }: FirewallInputs): Promise<Found> {
  const [loaded, files] = await Promise.all([
    context.host(host).observe(firewallProbe()),
    context.host(host).observe(filesProbe(Object.keys(firewallFiles(rules)))),
  ]);
  return { ...loaded, files, rules: bodyOf(files[RULES_FILE]?.content ?? "") };
}

function differs(inputs: FirewallInputs, rules: string, found: Found): boolean {
  return (
    found.loaded !== inputs.loaded ||
    found.enabled !== inputs.enabled ||
    changedFiles(firewallFiles(rules), found.files).length > 0
  );
}

function state<T extends FirewallInputs>(inputs: T, { rules, loaded, enabled }: Found): T {
  return { ...inputs, rules, loaded, enabled };
}

function stateOfNewPorts(inputs: NewPortsInputs, found: Found): NewPortsInputs {
  if (isClosed(found.rules)) return state(inputs, found);
  return { ...state(inputs, found), rules: inputs.rules, beginning: found.rules };
}

/** Seconds in which the host must let a new connection in, where a login may take so many: time for a second one. */
function loginSeconds(connectTimeout: number): number {
  return Math.max(20, 2 * connectTimeout);
}

/** Seconds for which rules are tried: a login that begins at the last moment ends before, and the rules are kept. */
function trialSeconds(login: number): number {
  return Math.round(1.5 * login) + 15;
}

/** Why the host lets no new connection in; `undefined` if it does. */
async function shutOut(host: Host, seconds: number): Promise<ConnectError | undefined> {
  const start = Date.now();
  for (;;) {
    try {
      await host.reconnect();
      return undefined;
    } catch (error) {
      if (!(error instanceof ConnectError)) throw error;
      if (Date.now() - start >= seconds * 1000) return error;
      await pause();
    }
  }
}

/** Waits until the host has taken the rules back, so that the next run does not meet them. */
async function explain(host: Host, refusal: ConnectError, trial: number): Promise<PgherdError> {
  const gone = await takenBack(host, trial);
  const ending = gone
    ? `the host has taken them back after ${trial} seconds.`
    : `the host takes them back by itself after ${trial} seconds, but does not answer yet.`;
  return new PgherdError(
    `${host.name}: the new firewall rules shut out this controller; ${ending}\n` +
      `Meanwhile: ${refusal.message.split("\n")[0]}`,
    "Add its network to pgherd:cluster.firewall.ssh.",
    { cause: refusal },
  );
}

async function takenBack(host: Host, trial: number): Promise<boolean> {
  const start = Date.now();
  while (Date.now() - start < 2 * trial * 1000) {
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
