// Writes src/config/parameter-table.json: what PostgreSQL 13 to 18 take for each setting, from Patroni's own table, by
// which Patroni leaves out or changes what does not fit. Usage:
//   node tools/parameters/table.cjs PATRONI/postgresql/available_parameters/0_postgres.yml [POSTGRES …]
// Each POSTGRES is a server's program, whose own word (--describe-config) is held against the table.
"use strict";

const { execFileSync } = require("node:child_process");
const { readFileSync, writeFileSync } = require("node:fs");
const { join } = require("node:path");
const { parse } = require("yaml");

const FIRST = 13;
const LAST = 18;

/** The major versions that a rule of Patroni's is for; `version_till` is the first that it is not for any more. */
function span({ version_from: from, version_till: till }) {
  const first = Math.max(FIRST, Math.floor(from / 10000));
  const last = till === undefined ? LAST : Math.floor((till - 1) / 10000);
  return first <= Math.min(last, LAST) ? [first, Math.min(last, LAST)] : undefined;
}

const TYPES = { Bool: "bool", Integer: "integer", Real: "real", String: "string" };

function rule(given) {
  const versions = span(given);
  if (!versions) return [];
  const { type, unit, min_val: min, max_val: max, possible_values: values } = given;
  const enumerated = type === "Enum" || type === "EnumBool";
  return [
    {
      versions,
      type: enumerated ? "enum" : TYPES[type],
      ...(unit && { unit }),
      ...(min !== undefined && { min, max }),
      ...(enumerated && { values: [...(type === "EnumBool" ? ["on", "off"] : []), ...values] }),
    },
  ];
}

/** Rules of neighbouring versions that say the same are one. */
function joined(rules) {
  const sorted = [...rules].sort((a, b) => a.versions[0] - b.versions[0]);
  return sorted.reduce((done, next) => {
    const last = done.at(-1);
    const same =
      last && JSON.stringify({ ...last, versions: 0 }) === JSON.stringify({ ...next, versions: 0 });
    if (!same || last.versions[1] + 1 < next.versions[0]) return [...done, next];
    return [...done.slice(0, -1), { ...last, versions: [last.versions[0], next.versions[1]] }];
  }, []);
}

const [source, ...servers] = process.argv.slice(2);
const { parameters } = parse(readFileSync(source, "utf8"));
const table = Object.entries(parameters)
  .map(([name, given]) => [name, joined(given.flatMap(rule))])
  .filter(([, rules]) => rules.length > 0)
  .sort(([a], [b]) => (a < b ? -1 : 1));
const lines = table.map(([name, rules]) => `  ${JSON.stringify(name)}: ${JSON.stringify(rules)}`);
const file = join(__dirname, "../../src/config/parameter-table.json");
writeFileSync(file, `{\n${lines.join(",\n")}\n}\n`);
execFileSync("npx", ["prettier", "--write", file]);

for (const server of servers) {
  const version = Number(/ (\d+)/.exec(execFileSync(server, ["-V"], { encoding: "utf8" }))[1]);
  const told = execFileSync(server, ["--describe-config"], { encoding: "utf8" }).trim().split("\n");
  for (const [name, context, , kind, , min, max] of told.map((line) => line.split("\t"))) {
    const type = kind.toLowerCase().replace("boolean", "bool");
    const found = table
      .find(([one]) => one.toLowerCase() === name.toLowerCase())?.[1]
      .find(({ versions }) => versions[0] <= version && version <= versions[1]);
    const other = (what) => console.log(`${version} ${name} (${context}): ${what}`);
    if (!found) other("not in the table");
    else if (found.type !== type) other(`${found.type}, not ${type}`);
    else if (found.min !== undefined && (found.min !== Number(min) || found.max !== Number(max)))
      other(`${found.min} to ${found.max}, not ${min} to ${max}`);
  }
}
