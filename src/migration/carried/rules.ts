import ipaddr from "ipaddr.js";
import { fieldsOf, parseHba, type HbaRule } from "../../config/hba";
import { HbaError } from "../../config/hba-error";
import { includes } from "../../config/hba-cover";
import type { Source } from "../inputs/source";

// Clients of a migrated server come through the load balancers, whose addresses they then have: what its pg_hba.conf says
// of databases and roles goes on to hold for them, what it says of their own addresses cannot.

/** Methods that ask for the password which the server itself keeps. */
const BY_PASSWORD = ["scram-sha-256", "md5", "password"];

/** Methods that look at the client's own host: through a balancer there is nothing to see, and all that is left is a password. */
const BY_HOST = ["trust", "ident", "peer"];

/**
 * Lines that stand before those which let all clients of the load balancers in by a password: what the server rejects
 * whoever it is, and whom it lets in by something else (ldap, pam, cert…). Lines that let in before them by a password
 * do so here too. None where all are let in by a password.
 * @param balancers networks that the balancers' connections come from: `["10.0.0.5/32"]`.
 */
export function throughBalancers(source: Source, balancers: readonly string[]): string[] {
  const rules = source.hba.flatMap((line) => {
    const rule = ruleOf(line, source.version);
    return rule && rule.type !== "local" ? [{ line, rule }] : [];
  });
  const last = rules.findLastIndex(({ rule }) =>
    rule.method === "reject"
      ? !isNetwork(rule) || balancers.some((from) => covers(rule, from))
      : ![...BY_PASSWORD, ...BY_HOST].includes(rule.method),
  );
  const kept: { readonly line: string; readonly rule: HbaRule }[] = [];
  for (const one of rules.slice(0, last + 1)) {
    // Who is rejected from some network, which the balancers are in, is let in by no line for another network: that line
    // is about others. Who is rejected from everywhere is whom no line before has let in.
    const at = isPartial(one.rule)
      ? kept.findLastIndex(({ rule }) => balancers.some((from) => covers(rule, from))) + 1
      : kept.length;
    kept.splice(at, 0, one);
  }
  return kept.flatMap(({ line, rule }) =>
    rule.method === "reject" && !isNetwork(rule)
      ? [line]
      : balancers
          .filter((from) => rule.method !== "reject" || covers(rule, from))
          .map((from) => lineFrom(line, rule, from, source.passwords ?? "scram-sha-256")),
  );
}

/** Whether a line rejects those of a network, and not all. */
function isPartial({ method, from }: HbaRule): boolean {
  return (
    method === "reject" && !(from.kind === "all" || (from.kind === "network" && from.prefix === 0))
  );
}

/** Whether a line is about networks; PostgreSQL itself knows what is its own, and who has a name. */
function isNetwork({ from }: HbaRule): boolean {
  return from.kind === "network" || from.kind === "all";
}

/** Lines that reject clients by addresses of their own, which nobody sees through a load balancer. */
export function rejectsByAddress(source: Source, balancers: readonly string[]): string[] {
  return source.hba.filter((line) => {
    const rule = ruleOf(line, source.version);
    return (
      rule?.method === "reject" &&
      rule.type !== "local" &&
      isNetwork(rule) &&
      !balancers.some((from) => covers(rule, from))
    );
  });
}

/** What PostgreSQL has accepted and this does not understand stays among the server's own lines. */
function ruleOf(line: string, version: number): HbaRule | undefined {
  try {
    return parseHba(line, version);
  } catch (error) {
    if (error instanceof HbaError) return undefined;
    throw error;
  }
}

/** Whether a line is about who comes from there: it names all of it, or a network which that is in. */
function covers({ from }: HbaRule, network: string): boolean {
  switch (from.kind) {
    case "all":
      return true;
    case "network": {
      const [address, prefix] = ipaddr.parseCIDR(network);
      return includes(from, { kind: "network", address, prefix });
    }
    default:
      return false;
  }
}

/** The line for clients who come from there, in the spelling that it has. */
function lineFrom(line: string, { method, from }: HbaRule, network: string, password: string) {
  const fields = fieldsOf(line).map((field) => field.map(({ raw }) => raw).join(","));
  const [type = "", databases = "", users = ""] = fields;
  // An address may have its mask in a field of its own.
  const rest = fields.slice(from.kind === "network" && !fields[3]?.includes("/") ? 5 : 4);
  const [, ...options] = rest;
  const kept = [...BY_PASSWORD, ...BY_HOST].includes(method) ? [password] : [method, ...options];
  return [type, databases, users, network, ...kept].join(" ");
}
