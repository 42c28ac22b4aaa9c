import { isIP } from "node:net";
import { parseHba, type HbaRule, type Origin } from "../hba";
import { HbaError } from "../hba-error";
import type { Settings } from "../schema";
import { each, understanding, type Report } from "./report";

/** What a line of pg_hba.conf says, however it is spelt, lets no stranger in; and PostgreSQL takes it. */
export function hbaIsSafe({ cluster }: Settings, report: Report): void {
  const { postgresql } = cluster;
  for (const setting of ["pgHba", "pgHbaFirst"] as const) {
    understanding(() =>
      each(postgresql[setting], (line, i) =>
        lineIsSafe(line, postgresql, (problem) =>
          report(`cluster.postgresql.${setting}[${i}]`, problem),
        ),
      ),
    );
  }
}

function lineIsSafe(
  line: string,
  { version, pgHbaFromAnywhere }: Settings["cluster"]["postgresql"],
  report: (problem: string) => void,
): void {
  try {
    const rule = parseHba(line, version);
    if (!rule) return;
    const refuses = rule.method === "reject";
    const wide = pgHbaFromAnywhere || refuses ? undefined : tooWide(rule.from);
    const read = wide ? undefined : readOtherwise(rule);
    if (read !== undefined) {
      report(
        `expected an address as it is usually written, got "${rule.fromText}", which PostgreSQL reads as ${read}. Write the one that you mean.`,
      );
    }
    if (wide) {
      report(
        `expected the networks of the clients, got "${rule.fromText}", which is ${wide}. Name them, or set postgresql.pgHbaFromAnywhere: true.`,
      );
    }
    if (refuses) return;
    const weakness = Object.hasOwn(WEAK, rule.method) ? WEAK[rule.method] : undefined;
    if (weakness !== undefined) {
      report(
        `expected scram-sha-256, cert or reject, got "${rule.method}": ${weakness}. Choose one of those.`,
      );
    }
  } catch (error) {
    if (!(error instanceof HbaError)) throw error;
    report(error.message);
  }
}

/**
 * The network as PostgreSQL reads it, if a person may read another: `010.0.0.0/8` is 8.0.0.0/8, and `10.1` is 10.0.0.1
 * (inet_aton(3), which getaddrinfo(3) goes by).
 */
function readOtherwise({ from, fromText }: HbaRule): string | undefined {
  // Everybody is everybody.
  if (from.kind !== "network" || from.prefix === 0) return undefined;
  const [address = "", mask] = fromText.split(/[/ ]/);
  const plain = isIP(address) !== 0 && (fromText.includes("/") || isIP(mask ?? "") !== 0);
  return plain ? undefined : `${from.address.toString()}/${from.prefix}`;
}

/** Methods that a stack may not name, and why. */
const WEAK: { readonly [method: string]: string } = {
  trust: "it asks nobody for anything",
  password: "the password can be read on its way",
  md5: "whoever reads a login, or the stored password, can log in with it",
  ident: "the client's own host vouches for its user",
};

/** The shortest prefixes that private networks have: 10.0.0.0/8 (RFC 1918) and fc00::/7 (RFC 4193). */
const LEAST_PREFIX = { ipv4: 8, ipv6: 7 } as const;

/** What an origin is, if no network of clients is as wide. */
function tooWide(from: Origin): string | undefined {
  if (from.kind === "all") return "everybody";
  if (from.kind !== "network" || from.prefix >= LEAST_PREFIX[from.address.kind()]) return undefined;
  return from.prefix === 0 ? "everybody" : "a large part of everybody";
}
