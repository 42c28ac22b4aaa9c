import { readFileSync } from "node:fs";
import { isIPv6 } from "node:net";
import { join } from "node:path";
import Handlebars from "handlebars";
import { packageRoot } from "../package-root";
import { SESSION_OPTIONS } from "../session-settings";
import { uuidOf } from "../uuid";

// One helper for each output format does the quoting, so that no value can end a string or start a line of its own.
const PLAIN = "plain";
const handlebars = Handlebars.create();
handlebars.registerHelper("yaml", (value: unknown) => JSON.stringify(given(value)));
handlebars.registerHelper("shell", shell);
// What a script sets before it asks a server anything by psql or its like.
handlebars.registerHelper("session", () => session(SESSION_OPTIONS));
// A part of a file that is pgherd's own text, made by a template or a script of its own.
handlebars.registerHelper("part", (text: unknown) => String(given(text)));
handlebars.registerHelper("line", (value: unknown) =>
  checked(value, /^[^"\\\p{Cc}]*$/u, "cannot be written in a line"),
);
// What a template gives to no helper: nothing of it means anything to a shell, within quotes, or in a file's next line.
handlebars.registerHelper(PLAIN, (value: unknown) =>
  checked(value, /^[\p{L}\p{N} ._:/@%+=,*\-[\]{}]*$/u, "cannot be written without quotes"),
);
// As programs take tokens and keys: a password of ours stands for each.
handlebars.registerHelper("uuid", (value: unknown) => uuidOf(String(given(value))));
handlebars.registerHelper("base64", (value: unknown) =>
  Buffer.from(String(given(value))).toString("base64"),
);
handlebars.registerHelper("endpoint", (host: string, port: number) => endpoint(host, port));
// HAProxy and Keepalived have no quoting that holds everywhere: what needs it must not get this far.
handlebars.registerHelper("word", (value: unknown) =>
  checked(value, /^[A-Za-z0-9._:/@%+=,*\-[\]]+$/, "cannot be written as one word"),
);

function checked(value: unknown, form: RegExp, otherwise: string): string {
  const text = String(given(value));
  if (!form.test(text)) throw new Error(`${otherwise}: ${text}`);
  return text;
}

/** Sends every value through a helper that its template sends through none. */
class Checking extends Handlebars.Visitor {
  override MustacheStatement(statement: hbs.AST.MustacheStatement): void {
    const { path, params, hash } = statement;
    if (path.type !== "PathExpression" || params.length > 0 || hash?.pairs.length) return;
    if (Object.hasOwn(handlebars.helpers, (path as hbs.AST.PathExpression).original)) return;
    statement.params = [path];
    statement.path = { ...path, original: PLAIN, parts: [PLAIN], depth: 0, data: false } as never;
  }
}

function shell(value: unknown): string {
  return `'${String(given(value)).replaceAll("'", "'\\''")}'`;
}

function session(options: string): string {
  return `# No setting of a role or of a database counts in a session.\nexport PGOPTIONS=${shell(options)}`;
}

/** Handlebars' strict mode looks at plain values only, not at what a helper is given. */
function given(value: unknown): unknown {
  if (value === undefined || value === null) throw new Error("a value is missing in a template");
  return value;
}

const compiled = new Map<string, Handlebars.TemplateDelegate>();

/**
 * Renders a template of `templates/`.
 * @param name path without its ending: `haproxy/haproxy.cfg`
 */
export function render(name: string, values: object): string {
  let template = compiled.get(name);
  if (!template) {
    const source = readFileSync(join(packageRoot(), "templates", `${name}.hbs`), "utf8");
    const parsed = handlebars.parse(name.endsWith(".sh") ? inOneLanguage(source) : source);
    new Checking().accept(parsed);
    template = handlebars.compile(parsed, { noEscape: true, strict: true });
    compiled.set(name, template);
  }
  return template(values);
}

/**
 * A script's tools answer and sort alike on every host: what starts it, systemd or PostgreSQL, hands it the language of the
 * host or of the server. Stands behind the comment that the script begins with.
 */
function inOneLanguage(script: string): string {
  return script.replace(/^(#.*\n)*/, "$&export LC_ALL=C.UTF-8\n");
}

/** `10.89.0.11:2379` or `[fd00:89::11]:2379`. */
export function endpoint(address: string, port: number): string {
  return isIPv6(address) ? `[${address}]:${port}` : `${address}:${port}`;
}
