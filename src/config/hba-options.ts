import { HbaError } from "./hba-error";

/** An option of a line of pg_hba.conf: `{ name: "map", value: "office" }`. */
export interface HbaOption {
  readonly name: string;
  readonly value: string;
}

/** What an option is for, and which values the server takes (src/backend/libpq/hba.c, parse_hba_auth_opt, 13 to 18). */
interface Rule {
  readonly methods: readonly string[];
  /** The first version that has it. */
  readonly since?: number;
  /** Whether a value fits, and what does. */
  readonly fits?: (value: string, method: string, version: number) => boolean;
  readonly expected?: string;
}

const ANY_SSL = ["hostssl"];

/** As atoi(3) reads it, which finds no number where the server says that it is none. */
const isPort = (text: string) => (parseInt(text, 10) || 0) !== 0;

const PORT = { fits: isPort, expected: "a number" };
const LDAP = { methods: ["ldap"] };
const RADIUS = { methods: ["radius"] };
const OAUTH = { methods: ["oauth"], since: 18 };

const RULES: { readonly [option: string]: Rule } = {
  map: { methods: ["ident", "peer", "gss", "cert", "oauth"] },
  clientcert: {
    methods: ANY_SSL,
    fits: (value, method, version) =>
      value === "verify-full" ||
      (method !== "cert" && value === "verify-ca") ||
      (version === 13 && ["0", "1", "no-verify"].includes(value)),
    expected: "verify-full (or verify-ca, where the method is not cert)",
  },
  clientname: {
    methods: ANY_SSL,
    since: 14,
    fits: (value) => ["CN", "DN"].includes(value),
    expected: "CN or DN",
  },
  pamservice: { methods: ["pam"] },
  pam_use_hostname: { methods: ["pam"] },
  krb_realm: { methods: ["gss"] },
  include_realm: { methods: ["gss"] },
  ldapurl: { ...LDAP, fits: (url) => /^ldaps?:\/\//i.test(url), expected: "ldap:// or ldaps://" },
  ldaptls: LDAP,
  ldapscheme: {
    ...LDAP,
    fits: (value) => ["ldap", "ldaps"].includes(value),
    expected: "ldap or ldaps",
  },
  ldapserver: LDAP,
  ldapport: { ...LDAP, ...PORT },
  ldapbinddn: LDAP,
  ldapbindpasswd: LDAP,
  ldapsearchattribute: LDAP,
  ldapsearchfilter: LDAP,
  ldapbasedn: LDAP,
  ldapprefix: LDAP,
  ldapsuffix: LDAP,
  radiusservers: RADIUS,
  radiusports: {
    ...RADIUS,
    fits: (value) => listOf(value).every(isPort),
    expected: "numbers, parted by commas",
  },
  radiussecrets: RADIUS,
  radiusidentifiers: RADIUS,
  issuer: OAUTH,
  scope: OAUTH,
  validator: OAUTH,
  delegate_ident_mapping: OAUTH,
};

/** One of these each must be there. */
const NEEDED: { readonly [method: string]: readonly (readonly string[])[] } = {
  ldap: [["ldapbasedn", "ldapprefix", "ldapsuffix", "ldapurl"]],
  radius: [["radiusservers"], ["radiussecrets"]],
  oauth: [["issuer"], ["scope"]],
};

/** Those of the first group go with none of the second (the same file, parse_hba_line). */
const APART: readonly (readonly [readonly string[], readonly string[]])[] = [
  [
    ["ldapprefix", "ldapsuffix"],
    ["ldapbasedn", "ldapbinddn", "ldapbindpasswd", "ldapsearchattribute", "ldapsearchfilter"],
  ],
  [["ldapsearchattribute"], ["ldapsearchfilter"]],
  [["map"], ["delegate_ident_mapping"]],
];

/** @throws HbaError for options that a server of this version would refuse. */
export function checkOptions(
  { type, method, options }: { type: string; method: string; options: readonly HbaOption[] },
  version: number,
): void {
  for (const { name, value } of options) {
    const rule = Object.hasOwn(RULES, name) ? RULES[name] : undefined;
    const here = rule?.methods === ANY_SSL ? type : method;
    if (!rule?.methods.includes(here) || version < (rule.since ?? 0))
      throw new HbaError(`expected an option of ${method} on ${type}, got "${name}"`);
    if (rule.fits && !rule.fits(value, method, version))
      throw new HbaError(`expected ${rule.expected} for ${name}, got "${value}"`);
  }
  const given = options.map(({ name }) => name);
  for (const some of Object.hasOwn(NEEDED, method) ? (NEEDED[method] ?? []) : []) {
    if (!some.some((name) => given.includes(name)))
      throw new HbaError(`expected ${some.join(" or ")} for ${method}, got none`);
  }
  for (const [some, others] of APART) {
    const [one, other] = [some, others].map((names) => names.find((name) => given.includes(name)));
    if (one && other) throw new HbaError(`expected ${one} or ${other}, got both`);
  }
  if (method === "radius") checkRadius(options);
}

/** For each server one of everything, or the same for all. */
function checkRadius(options: readonly HbaOption[]): void {
  const count = (name: string) =>
    listOf(options.findLast((option) => option.name === name)?.value ?? "").length;
  const servers = count("radiusservers");
  if (servers === 0) throw new HbaError("expected servers in radiusservers, got none");
  if (count("radiussecrets") === 0) throw new HbaError("expected radiussecrets, got none");
  for (const name of ["radiussecrets", "radiusports", "radiusidentifiers"]) {
    const found = count(name);
    if (found > 1 && found !== servers)
      throw new HbaError(`expected 1 or ${servers} of ${name}, one for each server, got ${found}`);
  }
}

function listOf(text: string): string[] {
  return text
    .split(",")
    .map((one) => one.trim())
    .filter((one) => one !== "");
}
