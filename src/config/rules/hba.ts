import { parseHba, type Origin } from "../hba";
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
    if (!rule || rule.method === "reject") return;
    const wide = pgHbaFromAnywhere ? undefined : tooWide(rule.from);
    if (wide) {
      report(
        `expected the networks of the clients, got "${rule.fromText}", which is ${wide}. Name them, or set postgresql.pgHbaFromAnywhere: true.`,
      );
    }
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
