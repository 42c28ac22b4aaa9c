/**
 * Problems of hosts, each cause once: where several hosts have the same one, it is told of all of them together. The
 * address at which each was asked, which only tells them apart, is left out then.
 * @param problems each as `db1: …`; what begins with no host's name is left as it is.
 */
export function oneCauseOnce(problems: readonly string[], hosts: readonly string[]): string[] {
  const causes = new Map<string, { readonly first: string; readonly of: Set<string> }>();
  for (const problem of problems) {
    const host = hosts.find((name) => problem.startsWith(`${name}: `));
    const cause = host ? withoutAddress(problem.slice(host.length + 2)) : problem;
    const known = causes.get(cause) ?? { first: problem, of: new Set<string>() };
    causes.set(cause, known);
    if (host) known.of.add(host);
  }
  return [...causes].map(([cause, { first, of }]) =>
    of.size > 1 ? `${[...of].sort().join(", ")}: ${cause}` : first,
  );
}

/** Without the address that a connection's errors have, as in `anna@10.0.0.11 port 22`, wherever it stands. */
function withoutAddress(text: string): string {
  const address = /(?:@|\bfrom )(\S+) port \d/.exec(text)?.[1];
  if (address === undefined) return text;
  const whole = address.replace(/[^A-Za-z0-9]/g, "\\$&");
  return text.replace(new RegExp(`(?<![\\w.:-])${whole}(?![\\w-]|\\.\\w)`, "g"), "…");
}
