import { fieldsOf, type Field, type Token } from "../config/hba";
import { FactError } from "../errors";
import { optionWithoutSecret } from "./secrets";

// pg_hba.conf and pg_ident.conf as they stand there. What PostgreSQL tells of them (pg_hba_file_rules) has lost its quotes,
// and `+"team a"`, the members of a role, would be `"+team a"`, a role of that name.

/** What PostgreSQL reads for the rules, by path: text in base64, or null for what is not there. */
export type RuleFiles = { readonly [path: string]: string | null };

/** Of one answer, for all files; PostgreSQL itself follows ten levels (CONF_FILE_MAX_DEPTH). */
const MAX_DEPTH = 10;

/**
 * An expression of SQL for `RuleFiles`: the two files, and all that they may name. What looks like a name of a file in one
 * of them is read too, whether it is one or not.
 */
export const RULE_FILES = `(with recursive files (path, content) as (
    select path, case when (pg_stat_file(path, true)).isdir is false then pg_read_binary_file(path, 0, 1000000, true) end
      from unnest(array[current_setting('hba_file'), current_setting('ident_file')]) as path
    union
    select each.path, case when (pg_stat_file(each.path, true)).isdir is false then pg_read_binary_file(each.path, 0, 1000000, true) end
      from (select case when name like '/%' then name else regexp_replace(named.path, '[^/]*$', '') || name end as path from (
          select files.path, coalesce(nullif(found[1], ''), found[2]) as name from files,
            regexp_matches(encode(coalesce(content, ''), 'escape'), '(?:@|\\minclude(?:_if_exists|_dir)?[ \\t]+)(?:"([^"\\n]+)"|([^\\s",#]+))', 'g') as found
        ) as named) as plain,
        lateral (select plain.path where (pg_stat_file(plain.path, true)).isdir is not true
          union all select rtrim(plain.path, '/') || '/' || entry from pg_ls_dir(
            case when (pg_stat_file(plain.path, true)).isdir then plain.path else 'global' end, true, false) as entry
          where (pg_stat_file(plain.path, true)).isdir and entry like '%.conf') as each (path)
  ) select coalesce(json_object_agg(path, encode(content, 'base64')), '{}') from files)`;

/**
 * The lines of a file of rules, each with the spelling that it has there, without comments; where a line stands for those
 * of another file, those.
 * @param version PostgreSQL's major version.
 * @throws FactError for what PostgreSQL would not read, or what was not handed over.
 */
export function ruleLines(file: string, files: RuleFiles, version: number): string[] {
  return linesOf(file, files, version, 0).map(render);
}

function linesOf(file: string, files: RuleFiles, version: number, depth: number): Field[][] {
  const text = textOf(file, files, depth);
  return logicalLines(text, version).flatMap((line): Field[][] => {
    const fields = fieldsOf(line).map((field) =>
      field.flatMap((token) => expanded(token, file, files, version, depth)),
    );
    const [kind, named] = fields.map(([first]) => first?.text ?? "");
    // Files in place of a line came with PostgreSQL 16.
    if (version < 16 || fields.length !== 2 || kind === undefined || named === undefined)
      return fields.length === 0 ? [] : [fields];
    const path = beside(file, named);
    const include = (one: string) => linesOf(one, files, version, depth + 1);
    switch (kind) {
      case "include":
        return include(path);
      case "include_if_exists":
        return files[path] === null || files[path] === undefined ? [] : include(path);
      case "include_dir":
        return inDirectory(path, files).flatMap(include);
      default:
        return [fields];
    }
  });
}

/** `@file` stands for the words of a file. */
function expanded(
  token: Token,
  file: string,
  files: RuleFiles,
  version: number,
  depth: number,
): Field {
  if (token.quoted || token.text.length < 2 || !token.text.startsWith("@")) return [token];
  return linesOf(beside(file, token.text.slice(1)), files, version, depth + 1).flat(2);
}

function textOf(file: string, files: RuleFiles, depth: number): string {
  const found = files[file];
  if (found === null || found === undefined || depth > MAX_DEPTH) {
    throw new FactError(
      `expected the file ${JSON.stringify(file)}, which pg_hba.conf or pg_ident.conf names, found ${depth > MAX_DEPTH ? "files that name each other" : "none"}.`,
      "Mend the line that names it.",
    );
  }
  const bytes = Buffer.from(found, "base64");
  const text = bytes.toString();
  if (Buffer.from(text).equals(bytes)) return text;
  throw new FactError(
    `expected ${JSON.stringify(file)} to be text in UTF-8, found other bytes.`,
    "Write it anew in UTF-8 (iconv), and reload the server.",
  );
}

/** A line that ends in a backslash goes on in the next one, since PostgreSQL 14. */
function logicalLines(text: string, version: number): string[] {
  const lines = text.replace(/\r(?=\n|$)/g, "");
  return (version < 14 ? lines : lines.replaceAll("\\\n", "")).split("\n");
}

function beside(file: string, name: string): string {
  return name.startsWith("/") ? name : `${file.replace(/[^/]*$/, "")}${name}`;
}

/** In the order in which PostgreSQL reads them (conffiles.c: by bytes, none that begins with a dot). */
function inDirectory(path: string, files: RuleFiles): string[] {
  const folder = `${path.replace(/\/+$/, "")}/`;
  return Object.keys(files)
    .filter((one) => one.startsWith(folder) && /^[^./][^/]*\.conf$/.test(one.slice(folder.length)))
    .filter((one) => files[one] !== null)
    .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

function render(fields: readonly Field[]): string {
  return fields.map((field) => field.map(spelling).join(",")).join(" ");
}

/** Of a secret only that there is one. */
function spelling({ text, raw }: Token): string {
  const shown = optionWithoutSecret(text);
  return shown === text ? raw : shown;
}
