import { decoded } from "../base64";
import type { Dcs, DcsPlace } from "../dcs";
import { prefixOf, type Standing } from "../existing";
import { jsonOf } from "../../facts/json";
import { identityOf, localAgent } from "./local";
import { page, printed } from "./request";

/** How a cluster stands with a Consul of somebody else's, by the agent of the host. */
export function standingAt(place: DcsPlace): Pick<Dcs, "standingProbe"> {
  const agent = localAgent(place);
  const identity = identityOf(place);
  const ask = (path: string) => page(identity, `${agent}/v1${path}`);
  const neverSet = (key: string) =>
    // No key has this index: Consul judges first whether it would be allowed (agent/consul/txn_endpoint.go, preCheck).
    `{ ${printed([{ KV: { Verb: "cas", Key: key, Value: "", Index: 1 } }])}\n} | ${page(identity, `${agent}/v1/txn`, "-X", "PUT", "--data-binary", "@-")}`;
  return {
    standingProbe(cluster) {
      const own = `${prefixOf(place.existing).replace(/^\//, "")}${cluster}`;
      const parts: readonly (readonly [string, string])[] = [
        ["leader", ask("/status/leader")],
        ["key", ask(`/kv/${own}/initialize?consistent`)],
        ["self", ask("/agent/self")],
        ["own", neverSet(`${own}/pgherd-rights`)],
        ["others", neverSet("pgherd-rights-of-others")],
      ];
      return {
        // A page in one line, behind what it is of; its code comes last.
        script: parts
          .map(([what, command]) => `printf '${what} '\n${command} | tr '\\n' ' '\necho`)
          .join("\n"),
        parse: (output) => read(output, agent),
      };
    },
  };
}

/** Where nobody has set it (agent/consul/config.go, `SessionTTLMin`). */
const DEFAULT_SESSION_SECONDS = 10;

interface Page {
  readonly text: string;
  readonly code: string;
}

function read(output: string, agent: string): Standing {
  const of = (what: string): Page => {
    const line = output.split("\n").find((one) => one.startsWith(`${what} `)) ?? "";
    const [, text = "", code = ""] = /^\S+ (.*?)\s*(\d{3})? *$/.exec(line) ?? [];
    return { text, code };
  };
  const leader = of("leader");
  const key = of("key");
  const leads = leader.code === "200" && /"\S+"/.test(leader.text);
  const value = key.code === "200" ? jsonOf(key.text) : undefined;
  const [found] = Array.isArray(value) ? (value as readonly { Value: string | null }[]) : [];
  const self = jsonOf(of("self").text) as
    | { Config?: { Version?: string; Server?: boolean }; DebugConfig?: { SessionTTLMin?: string } }
    | undefined;
  // Servers judge, each by its own setting, and the agent of another host tells nothing of theirs.
  const told = self?.Config?.Server ? self.DebugConfig?.SessionTTLMin : undefined;
  const shortest = /^(?:(\d+)m)?([\d.]+)s$/.exec(told ?? "");
  const seconds = Number(shortest?.[1] ?? 0) * 60 + Number(shortest?.[2] ?? 0);
  const own = of("own");
  return {
    answering: leads ? [agent] : [],
    said: `${agent}: ${leader.text || "nothing"}${leads ? "" : `, code ${leader.code || "none"}`}`,
    version: self?.Config?.Version,
    may: isTaken(own) || own.text || `code ${own.code}`,
    mayMore: isTaken(of("others")),
    // Patroni asks for half of its ttl.
    ...(shortest && { leastTtl: 2 * (seconds || DEFAULT_SESSION_SECONDS) }),
    shorterBy: "session_ttl_min on all its servers",
    systemIdentifier: found && decoded(found.Value ?? ""),
  };
}

/** The condition does not hold, which is said only to whoever may write there; rights that lack have the same code. */
function isTaken({ text, code }: Page): boolean {
  return ["200", "409"].includes(code) && !/permission denied/i.test(text);
}
