import { HbaError } from "./hba-error";
import { checkOptions, type HbaOption } from "./hba-options";
import { bitsOf, numericAddress, prefixLength, type Network } from "./hba-address";

/** A word of pg_hba.conf. In quotes it is a name, whatever it spells: `all` is everything, `"all"` is called so. */
export interface Token {
  readonly text: string;
  /** Whether it begins with a quote. */
  readonly quoted: boolean;
  /** As the line spells it, quotes included: `+"team a"`, whose text is `+team a`. */
  readonly raw: string;
}

/** What blanks part in a line: one word, or a list of them parted by commas. */
export type Field = readonly Token[];

/** Where a connection comes from. */
export type Origin =
  | { readonly kind: "socket" | "all" | "samehost" | "samenet" }
  | { readonly kind: "name"; readonly name: string }
  | ({ readonly kind: "network" } & Network);

/** A line of pg_hba.conf as PostgreSQL understands it. */
export interface HbaRule {
  readonly type: string;
  readonly databases: Field;
  readonly users: Field;
  readonly from: Origin;
  /** As the line spells the origin, mask included. */
  readonly fromText: string;
  /** `peer` for `ident` on a socket, which is the same. */
  readonly method: string;
  readonly options: readonly HbaOption[];
}

const TYPES = ["local", "host", "hostssl", "hostnossl", "hostgssenc", "hostnogssenc"];

/** Methods of PostgreSQL as Debian builds it; names count with their case. */
const METHODS = [
  ...["scram-sha-256", "cert", "reject", "trust", "md5", "password", "peer", "ident"],
  ...["gss", "ldap", "pam", "radius", "oauth"],
];

/** Lines that stand for those of other files. */
const INCLUDES = ["include", "include_if_exists", "include_dir"];

/**
 * The fields of a line, as PostgreSQL parts it (src/backend/libpq/hba.c, next_token and next_field_expand): by blanks,
 * with lists parted by commas, quotes that keep blanks, commas and `#`, and a comment from `#` on.
 */
export function fieldsOf(line: string): Field[] {
  const fields: Token[][] = [];
  let at = 0;
  let goesOn = false;
  const blank = (c: string | undefined) => c === " " || c === "\t" || c === "\r";
  for (;;) {
    while (blank(line[at]) || line[at] === ",") at++;
    let text = "";
    let begun = false;
    let quoted = false;
    let inQuote = false;
    let wasQuote = false;
    const start = at;
    let end = line.length;
    for (; at < line.length && (inQuote || !blank(line[at])); at++) {
      const c = line[at] as string;
      end = at;
      if (!inQuote && c === "#") at = line.length;
      if (!inQuote && (c === "#" || c === ",")) break;
      end = at + 1;
      if (c === '"') {
        quoted ||= !begun;
        // Two quotes within quotes are one that counts.
        if (wasQuote) text += c;
        wasQuote = inQuote;
        inQuote = !inQuote;
      } else {
        text += c;
        wasQuote = false;
      }
      begun = true;
    }
    if (!begun) return fields;
    const token = { text, quoted, raw: line.slice(start, end) };
    if (goesOn) fields.at(-1)?.push(token);
    else fields.push([token]);
    goesOn = line[at] === ",";
  }
}

/**
 * What a line of pg_hba.conf says; nothing if it is a comment.
 * @param version PostgreSQL's major version.
 * @throws HbaError if PostgreSQL would refuse it, or would read more than this line (other files, the line after).
 */
export function parseHba(line: string, version: number): HbaRule | undefined {
  if (/[\n\r\0]/.test(line))
    throw new HbaError("expected one line, got several", " Make each an entry of its own.");
  if (line.endsWith("\\")) throw new HbaError("expected a whole line, got one that goes on (\\)");
  const fields = fieldsOf(line);
  if (fields.length === 0) return undefined;
  const next = (what: string): Field => {
    const field = fields.shift();
    if (!field) throw new HbaError(`expected ${what} next, got the end of "${line.trim()}"`);
    return field;
  };
  const one = (what: string): Token => {
    const [token, ...more] = next(what);
    if (!token || more.length > 0) throw new HbaError(`expected one ${what}, got a list`);
    return token;
  };
  const type = one("type of connection").text;
  if (INCLUDES.includes(type))
    throw new HbaError(
      `expected the lines themselves, got "${type}" of a file that pgherd does not know`,
    );
  if (!TYPES.includes(type)) {
    throw new HbaError(
      `expected a line such as "host app app 10.0.0.0/24 scram-sha-256", got "${line}"`,
      "",
    );
  }
  const databases = names(next("databases"), "databases", version);
  const users = names(next("users"), "users", version);
  const { from, fromText } =
    type === "local" ? { from: SOCKET, fromText: "" } : originOf(one("address"), () => one("mask"));
  const method = one("method").text;
  if (!METHODS.includes(method) || (method === "oauth" && version < 18))
    throw new HbaError(`expected a method such as scram-sha-256 or reject, got "${method}"`);
  const rule = {
    ...{ type, databases, users, from, fromText },
    method: type === "local" && method === "ident" ? "peer" : method,
    options: fields.flat().map(optionOf),
  };
  checkMethod(rule, version);
  return rule;
}

const SOCKET: Origin = { kind: "socket" };

function names(field: Field, what: string, version: number): Field {
  for (const { text, quoted } of field) {
    if (!quoted && text.length > 1 && text.startsWith("@"))
      throw new HbaError(
        `expected names of ${what}, got the file "${text}", which pgherd does not know`,
      );
    if (text.startsWith("/") && version < 16)
      throw new HbaError(
        `expected names of ${what}, got the pattern "${text}", which came with PostgreSQL 16`,
      );
    if (text.startsWith("/") && !isPattern(text.slice(1)))
      throw new HbaError(`expected a pattern of ${what}, got "${text}", which is none`);
  }
  return field;
}

/** Whether PostgreSQL can take a text for a pattern: its brackets close. What only it knows passes. */
function isPattern(text: string): boolean {
  if (/^(\*\*\*|\(\?)/.test(text)) return true;
  try {
    new RegExp(text.replace(/\[([:.=])[^\]]*\1\]/g, "a"));
    return true;
  } catch {
    return false;
  }
}

/** @param mask the field after the address, for an address that has none of its own. */
function originOf(token: Token, mask: () => Token): { from: Origin; fromText: string } {
  const { text, quoted } = token;
  if (!quoted && (text === "all" || text === "samehost" || text === "samenet"))
    return { from: { kind: text }, fromText: text };
  const slash = text.indexOf("/");
  const base = slash < 0 ? text : text.slice(0, slash);
  if (base.includes("%")) throw new HbaError(`expected an address without a zone, got "${text}"`);
  const address = numericAddress(base);
  if (!address) {
    if (slash >= 0) throw new HbaError(`expected a network such as 10.0.0.0/24, got "${text}"`);
    return { from: { kind: "name", name: text }, fromText: text };
  }
  if (slash >= 0) {
    const prefix = prefixLength(text.slice(slash + 1), address);
    if (prefix === undefined)
      throw new HbaError(`expected a prefix length up to ${bitsOf(address)}, got "${text}"`);
    return { from: { kind: "network", address, prefix }, fromText: text };
  }
  const second = mask().text;
  const bits = numericAddress(second);
  const prefix = bits?.kind() === address.kind() ? bits.prefixLengthFromSubnetMask() : null;
  if (prefix === null) {
    throw new HbaError(
      `expected "${text}" with its mask, such as ${text}/${bitsOf(address)}, got "${text} ${second}"`,
    );
  }
  return { from: { kind: "network", address, prefix }, fromText: `${text} ${second}` };
}

function optionOf({ text }: Token): HbaOption {
  const at = text.indexOf("=");
  if (at < 0) throw new HbaError(`expected an option such as map=office, got "${text}"`);
  return { name: text.slice(0, at), value: text.slice(at + 1) };
}

/** What a method asks of the connection and of its options (hba.c, parse_hba_line). */
function checkMethod(rule: HbaRule, version: number): void {
  const { type, method } = rule;
  const only = (types: string) =>
    new HbaError(`expected ${method} on a line of ${types}, got "${type}"`);
  if (method === "peer" && type !== "local") throw only("local");
  if (method === "gss" && type === "local") throw only("host");
  if (method === "cert" && type !== "hostssl") throw only("hostssl");
  checkOptions(rule, version);
}
