import { hostLink } from "../network";
import type { LabPaths } from "../paths";
import { run, tryRun } from "../run";
import { CONTROLLER } from "../topology";
import type { Fault, Victim } from "./fault";

// All packets between hosts cross the lab's bridge: there they are dropped, without a word to either side. What the
// controller says by SSH always passes, as on a network of its own for management, so that a test can look.

interface Cut {
  readonly from: readonly string[];
  readonly to: readonly string[];
  /** TCP ports on the side of `to`. @default everything */
  readonly ports?: readonly number[];
  /** Number of an IP protocol instead: 112 is VRRP. */
  readonly protocol?: number;
  /** Only what goes from `from` to `to` is dropped. */
  readonly oneWay?: boolean;
  /** Share of the packets that are dropped, in per cent. @default all */
  readonly loss?: number;
}

/** What some hosts send to others is lost. */
export const cut: Fault<Cut> = {
  describe: describeCut,
  hosts: ({ from, to }) => [...from, ...to],
  inflict: (victim, args) => drop(victim, cutRules(args)),
  heal: removeRules,
};

interface Isolated {
  readonly hosts: readonly string[];
}

/** Hosts reach nobody, and nobody reaches them, clients on the controller included. */
export const isolate: Fault<Isolated> = {
  describe: ({ hosts }) => `${hosts.join(", ")} cut off from everybody`,
  hosts: ({ hosts }) => hosts,
  inflict: (victim, { hosts }) => drop(victim, isolationRules(hosts)),
  heal: removeRules,
};

/** Exported for its tests. */
function describeCut({ from, to, ports, protocol, oneWay, loss }: Cut): string {
  const what = protocol === 112 ? "VRRP" : protocol ? `protocol ${protocol}` : undefined;
  const parts = [
    `${from.join(", ")} ${oneWay ? "cannot send to" : "cut off from"} ${to.join(", ")}`,
    what ?? (ports ? `port ${ports.join(", ")}` : undefined),
    loss === undefined ? undefined : `${loss} % loss`,
  ];
  return parts.filter(Boolean).join(", ");
}

/** The rules of nftables' bridge family that make a cut, by chain. */
export function cutRules({ from, to, ports, protocol, oneWay, loss }: Cut): Rules {
  const chance = loss === undefined ? "" : `numgen random mod 100 < ${loss} `;
  const kind = (end: "dport" | "sport") =>
    protocol !== undefined
      ? `meta l4proto ${protocol} `
      : ports
        ? `tcp ${end} { ${ports.join(", ")} } `
        : "";
  const rule = (a: string, b: string, end: "dport" | "sport") =>
    `iifname "${hostLink(a)}" oifname "${hostLink(b)}" ${kind(end)}${chance}drop`;
  const pairs = from.flatMap((a) => to.filter((b) => b !== a).map((b): [string, string] => [a, b]));
  return {
    forward: pairs.flatMap(([a, b]) =>
      oneWay ? [rule(a, b, "dport")] : [rule(a, b, "dport"), rule(b, a, "sport")],
    ),
  };
}

/** The rules that cut hosts off from everybody but the controller's SSH. */
export function isolationRules(hosts: readonly string[]): Rules {
  const links = `{ ${hosts.map((host) => `"${hostLink(host)}"`).join(", ")} }`;
  const management = (direction: "iifname" | "oifname", end: "sport" | "dport", field: string) => [
    `${direction} ${links} ether type arp accept`,
    `${direction} ${links} icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept`,
    `${direction} ${links} ip ${field} ${CONTROLLER.address} tcp ${end} 22 accept`,
    `${direction} ${links} drop`,
  ];
  return {
    forward: [`iifname ${links} drop`, `oifname ${links} drop`],
    input: management("iifname", "sport", "daddr"),
    output: management("oifname", "dport", "saddr"),
  };
}

/** Rules by the hook that they stand at. */
type Rules = { readonly [hook in "forward" | "input" | "output"]?: readonly string[] };

/** The table of a fault, for `nft -f`. */
export function tableOf(id: string, rules: Rules): string {
  const chains = Object.entries(rules).map(
    ([hook, lines]) =>
      `  chain ${hook} {\n    type filter hook ${hook} priority 0; policy accept;\n${lines.map((line) => `    ${line}\n`).join("")}  }\n`,
  );
  return `table bridge ${tableName(id)} {\n${chains.join("")}}\n`;
}

export function tableName(id: string): string {
  return `pgherd_fault_${id}`;
}

/** Words before a command that make it run in the lab's network. */
export function inNetwork({ netns }: LabPaths): string[] {
  return ["nsenter", `--net=${netns}`, "--"];
}

async function drop({ paths, id }: Victim, rules: Rules): Promise<void> {
  await run([...inNetwork(paths), "nft", "-f", "-"], { input: tableOf(id, rules) });
}

/** A table that is gone already is fine. */
export async function removeRules({ paths, id }: Victim): Promise<void> {
  await tryRun([...inNetwork(paths), "nft", "delete", "table", "bridge", tableName(id)]);
}
