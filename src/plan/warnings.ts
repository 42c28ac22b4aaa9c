import { parseHba, type HbaRule } from "../config/hba";
import { covers, includes } from "../config/hba-cover";
import type { Settings } from "../config/schema";
import { booleanOf } from "../setting-values";
import { balancerNetworks, hostBasedAuthentication } from "./authentication";

/** What a stack asks for and will not get, or not as it seems: told at every preview, and nothing keeps it from being done. */
export function warnings(settings: Settings): string[] {
  return hbaWarnings(settings);
}

/** Lines of pg_hba.conf that let nobody in and keep nobody out, wholly or where it matters. */
function hbaWarnings(settings: Settings): string[] {
  const { pgHba, pgHbaFirst, version } = settings.cluster.postgresql;
  const own = new Map<string, string>();
  pgHbaFirst.forEach((line, i) => own.set(line, `pgHbaFirst[${i}]`));
  pgHba.forEach((line, i) => own.set(line, `pgHba[${i}]`));
  // Those of a server that is migrated stand behind pgherd's own, as the user's do.
  const rules = hostBasedAuthentication(settings).flatMap((line) => {
    const rule = parseHba(line, version);
    return rule ? [{ line, rule }] : [];
  });
  return rules.flatMap(({ line, rule }, at) => {
    const setting = own.get(line);
    if (setting === undefined) return [];
    const earlier = rules.slice(0, at).map((one) => ({
      ...one,
      line: own.has(one.line) ? one.line : asWritten(settings, one.line),
    }));
    const inFirst = setting.startsWith("pgHbaFirst");
    const problem = problemOf(settings, rule, earlier)?.replace(MOVE, inFirst ? FURTHER_UP : MOVE);
    return problem ? [`pgherd:cluster.postgresql.${setting} "${line}": ${problem}`] : [];
  });
}

/** A line of pgherd's own in the words that the members have: what a server asks for that is migrated, it goes on asking for. */
function asWritten({ cluster }: Settings, line: string): string {
  if (!cluster.migration || !line.startsWith("host all all ")) return line;
  return line.replace(/ scram-sha-256$/, " scram-sha-256 (or md5)");
}

interface Earlier {
  readonly line: string;
  readonly rule: HbaRule;
}

/** Why a line does not do what it says; nothing if it does. */
function problemOf(
  settings: Settings,
  rule: HbaRule,
  earlier: readonly Earlier[],
): string | undefined {
  if (rule.type === "hostssl" && !speaksSsl(settings)) {
    return "it fits no connection, since ssl is off. Set postgresql.parameters.ssl, with ssl_cert_file and ssl_key_file, or remove it.";
  }
  const before = earlier.find((one) => covers(one.rule, rule));
  if (before) {
    if (sameAnswer(before.rule, rule)) return undefined;
    return `it never counts, since "${before.line}" comes first. ${MOVE}`;
  }
  return balancedProblem(settings, rule, earlier);
}

const MOVE =
  "Put it into postgresql.pgHbaFirst, which comes before the lines by which clients get in, or remove it.";

const FURTHER_UP = "Put it further up, or remove it.";

/** What a line is worth for those who come through the load balancers: PostgreSQL sees the balancers' addresses only. */
function balancedProblem(
  settings: Settings,
  rule: HbaRule,
  earlier: readonly Earlier[],
): string | undefined {
  const { version } = settings.cluster.postgresql;
  const balancers = balancerNetworks(settings);
  if (balancers.length === 0 || rule.type === "local") return undefined;
  const addresses = balancers.map((from) => from.replace(/\/.*/, "")).join(", ");
  const reached = balancers.flatMap((from) => {
    const balancer = parseHba(`host all all ${from} reject`, version)?.from;
    return balancer && meets(rule, balancer) ? [{ ...rule, from: balancer }] : [];
  });
  if (reached.length === 0) {
    return rule.method === "reject"
      ? `it keeps nobody out who comes through the load balancers: PostgreSQL sees their addresses (${addresses}), not the client's. ` +
          "Name databases and users instead of networks, or narrow cluster.firewall.clients."
      : undefined;
  }
  for (const part of reached) {
    const before = earlier.find((one) => covers(one.rule, part));
    if (!before && shutsOut(settings, rule, part.from)) {
      return (
        `it shuts out everybody who comes through the load balancers (${addresses}): PostgreSQL sees their addresses only. ` +
        "Name databases, users or other networks, or remove it."
      );
    }
    if (before && !sameAnswer(before.rule, rule)) {
      return (
        `it does not count for those who come through the load balancers (${addresses}), ` +
        `since "${before.line}" comes first. ${MOVE}`
      );
    }
  }
  return undefined;
}

/** Whether a line rejects all connections from there that there can be. */
function shutsOut(settings: Settings, rule: HbaRule, from: HbaRule["from"]): boolean {
  if (rule.method !== "reject") return false;
  const type = speaksSsl(settings) ? "host" : "hostnossl";
  const everybody = parseHba(`${type} all all all trust`, settings.cluster.postgresql.version);
  return everybody !== undefined && covers(rule, { ...everybody, from });
}

function meets({ from }: HbaRule, balancer: HbaRule["from"]): boolean {
  if (from.kind === "all" || from.kind === "samenet") return true;
  return from.kind === "network" && balancer.kind === "network" && includes(from, balancer);
}

function sameAnswer(a: HbaRule, b: HbaRule): boolean {
  return a.method === b.method && JSON.stringify(a.options) === JSON.stringify(b.options);
}

/** PostgreSQL's own default is off, and Debian's settings for its own clusters do not count here. */
function speaksSsl({ cluster }: Settings): boolean {
  const given = Object.entries(cluster.postgresql.parameters).find(
    ([name]) => name.toLowerCase() === "ssl",
  );
  return booleanOf(String(given?.[1] ?? "off")) === true;
}
