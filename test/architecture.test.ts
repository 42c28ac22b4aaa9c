import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import ts from "typescript";
import { expect, test } from "vitest";

const ROOT = resolve(import.meta.dirname, "..");

interface Import {
  /** The layer: `plan`, also of `migration/plan`; or `errors` for a file of its own. */
  readonly from: string;
  readonly file: string;
  /** `../resources/inputs` as `resources/inputs`; a package by its name. */
  readonly target: string;
  readonly own: boolean;
  /** Whether nothing of it is left when the program runs. */
  readonly typeOnly: boolean;
}

const imports = sources("src").flatMap(importsOf);

/** Folders, files, or `types of` them, that each folder may import. */
const ALLOWED: { readonly [folder: string]: readonly string[] } = {
  index: ["components", "config"],
  library: ["components"],
  components: [
    "resources",
    "plan",
    "roles",
    "config/parse",
    "types of config",
    "configuration-hash",
    "fingerprint",
    "errors",
  ],
  plan: [
    "roles",
    "distributions",
    "types of config",
    // What files on the hosts say of the DCS, and which of them its scripts read.
    "dcs/planned",
    "dcs/existing",
    "dcs/consul/local",
    "types of dcs",
    "config/duration",
    "config/hba",
    "config/hba-cover",
    "config/hba-error",
    "config/parameter-values",
    "config/replication-modes",
    "config/schedule",
    "config/size",
    "config/time",
    "config/timings",
    "types of resources/inputs",
    "steps",
    "carried",
    // A shell function, which scripts of the hosts' own need as those that travel there do.
    "host/ownership",
    "versions",
    "session-settings",
    "setting-values",
    "uuid",
    "package-root",
  ],
  config: ["roles", "distributions", "steps", "promises", "setting-values", "errors", "suggest"],
  // What a role is and what a distribution calls things: pure data for everybody, the provider's process included.
  roles: ["distributions", "types of config"],
  distributions: ["host/shell", "types of host"],
  resources: ["types of dcs"],
  provider: [
    // The engine hands the provider the stack's settings as they are written.
    "config/connections",
    "config/directories",
    "roles",
    "distributions",
    "steps",
    "rpc",
    "cluster",
    "dcs",
    "operations",
    "facts",
    "host",
    "types of resources/inputs",
    "configuration-hash",
    "versions",
    "promises",
    "setting-values",
    "errors",
    "package.json",
  ],
  operations: [
    "distributions",
    "dcs",
    "facts",
    "host",
    "roles",
    "types of resources/inputs",
    "promises",
    "setting-values",
    "errors",
  ],
  facts: [
    "host",
    "distributions",
    "roles",
    "session-settings",
    "promises",
    "setting-values",
    "config/hba",
    "errors",
    "types of resources/inputs",
  ],
  // One file for what pgherd asks of any DCS, a folder for each kind.
  dcs: ["host", "roles", "facts/json", "uuid", "errors"],
  host: ["types of config", "errors"],
  rpc: [],
  cluster: [
    ...["operations", "dcs", "facts", "roles", "errors", "suggest"],
    "types of resources/inputs",
  ],
  init: ["distributions", "facts", "host", "plan/networks", "types of config", "errors"],
  probe: ["errors"],
  api: ["roles/dcs", "cluster", "operations", "probe", "errors", "package-root"],
  page: ["types of api", "types of operations", "operations/words", "types of cluster", "probe"],
  cli: [
    "steps",
    "config",
    "roles",
    "init",
    "plan",
    "cluster",
    "operations",
    "dcs",
    "facts",
    "probe",
    "api",
    "host",
    "lab",
    "errors",
    "suggest",
    "package.json",
    "package-root",
  ],
  lab: ["roles", "errors", "package-root"],
  // Of a migration: its steps, and what a cluster keeps of the server.
  steps: ["types of config"],
  carried: [
    "types of config",
    "config/hba",
    "config/hba-cover",
    "config/hba-error",
    "config/replication-modes",
    "setting-values",
    "types of resources/inputs",
  ],
  errors: [],
  versions: [],
  "session-settings": [],
  uuid: [],
  // What a setting of PostgreSQL must keep, for previews and for looks at servers.
  promises: ["setting-values"],
  "setting-values": [],
  "package-root": [],
};

test("imports go one way", () => {
  const wrong = imports
    .filter(({ own }) => own)
    .filter(({ from, target: path, typeOnly }) => {
      const target = inLayer(path);
      const folder = target.split("/")[0] as string;
      if (folder === from) return false;
      const allowed = ALLOWED[from] ?? [];
      const named = [folder, dirname(target), target];
      if (named.some((one) => allowed.includes(one))) return false;
      return !(typeOnly && named.some((one) => allowed.includes(`types of ${one}`)));
    });
  expect(wrong.map(render)).toEqual([]);
});

/** The files that put a layer and its part of a migration together. */
const PUT_TOGETHER = [
  ...["components/assembly.ts", "plan/plan.ts", "provider/provider.ts", "cli/program.ts"],
  // A server that is migrated has to fit before anything is changed, as every host has to.
  ...["provider/preflight.ts", "provider/preflight-backup.ts"],
];

test("a layer does without its part of a migration, which is built on it", () => {
  const ofMigration = (path: string) => /^migration\/([^/]+)\//.exec(path)?.[1];
  const both = imports
    .filter(({ own }) => own)
    .filter(({ from, file, target }) => {
      if (PUT_TOGETHER.includes(file)) return false;
      // Back, by way of what puts both together.
      if (ofMigration(file)) {
        return PUT_TOGETHER.includes(`${target}.ts`) && target.startsWith(`${from}/`);
      }
      return ofMigration(target) === from;
    });
  expect(both.map(render)).toEqual([]);
});

test("no file needs itself by way of others", () => {
  const needed = new Map<string, string[]>();
  for (const { file, target, own, typeOnly } of imports) {
    if (!own || typeOnly) continue;
    const found = [`${target}.ts`, `${target}.tsx`].find((one) =>
      existsSync(join(ROOT, "src", one)),
    );
    if (found) needed.set(file, [...(needed.get(file) ?? []), found]);
  }
  const circles: string[] = [];
  const done = new Set<string>();
  const visit = (file: string, way: readonly string[]) => {
    if (way.includes(file)) circles.push([...way.slice(way.indexOf(file)), file].join(" -> "));
    if (done.has(file)) return;
    done.add(file);
    for (const next of needed.get(file) ?? []) visit(next, [...way, file]);
  };
  for (const file of needed.keys()) visit(file, []);
  expect(circles).toEqual([]);
});

test("SSH is spoken only in src/host", () => {
  const speakers = imports.filter(({ target }) => ["ssh2", "node-ssh"].includes(target));
  expect([...new Set(speakers.map(({ from }) => from))]).toEqual(["host"]);
});

test.each([
  [
    /etcd/i,
    [
      // Its services, its role, and what it is called where one is named by its kind.
      ...["src/plan/etcd.ts", "src/roles/etcd.ts"],
      // Names that the states of all stacks have, whatever the kind is.
      ...["src/components/daemon.ts", "src/components/hooks.ts", "src/plan/consul.ts"],
      ...["src/plan/types.ts", "src/provider/provider.ts", "src/provider/service.ts"],
      ...["src/resources/inputs/service.ts", "src/resources/resources.ts"],
      // Words of help and warnings for people.
      ...[
        "src/cli/dcs.ts",
        "src/cli/init.ts",
        "src/cli/switchover.ts",
        "src/components/cluster.ts",
      ],
      "src/config/schema.ts",
      // What `pgherd init` proposes, and the lab, which knows its own stacks.
      ...["src/init/project.ts", "src/init/roles.ts", "src/lab/topology.ts"],
      ...["src/cli/init-report.ts", "src/cli/lab-fault.ts"],
    ],
  ],
  [
    /consul/i,
    [
      "src/config/rules/registration.ts",
      "src/plan/consul.ts",
      "src/roles/consul.ts",
      "src/cli/dcs.ts",
    ],
  ],
])(
  "what is peculiar to one DCS stands only in src/dcs and in its templates: %s",
  (peculiar, own) => {
    const others = [
      ...own,
      // The lists of what there is, to which another kind is added.
      ...["src/config/blocks/dcs.ts", "src/dcs/dcs.ts", "src/dcs/planned.ts"],
      ...[
        "src/plan/dcs-services.ts",
        "src/roles/dcs.ts",
        "src/roles/role.ts",
        "src/roles/roles.ts",
      ],
      // The software that it needs, and what a distribution calls that.
      ...["src/distributions/debian.ts", "src/distributions/distribution.ts"],
    ];
    const said = sources("src").filter((file) => {
      const text = readFileSync(file, "utf8");
      return peculiar.test(withoutComments(text));
    });
    const rendered = templates().filter((file) => peculiar.test(readFileSync(file, "utf8")));
    const found = [...said, ...rendered].map((file) => relative(ROOT, file));
    expect(
      found.filter((file) => !/^(src\/dcs|templates)\/(etcd|consul)\//.test(file)).sort(),
    ).toEqual(others.sort());
  },
);

test("what the unit of a role is called, and where Patroni's files are, is said by the role", () => {
  const said = sources("src").filter((file) => {
    const text = withoutComments(readFileSync(file, "utf8"));
    return /(patroni|etcd|haproxy|keepalived)\.service|\/etc\/patroni\/pgherd/.test(text);
  });
  const others = said
    .map((file) => relative(ROOT, file))
    .filter((file) => !/^src\/roles\//.test(file));
  expect(others).toEqual([]);
});

test("where a distribution has PostgreSQL is said by the distribution", () => {
  const places = /\/(usr\/(lib|share)|var\/lib|(var\/)?run)\/postgresql\b/;
  const texts = [
    ...sources("src").map((file) => [file, withoutComments(readFileSync(file, "utf8"))] as const),
    ...templates().map((file) => [file, readFileSync(file, "utf8")] as const),
  ];
  const said = texts
    .filter(([, text]) => places.test(text.replaceAll("\\/", "/")))
    .map(([file]) => relative(ROOT, file))
    // The lab's hosts are Debian.
    .filter((file) => !/^src\/lab\//.test(file));
  expect(said).toEqual(["src/distributions/debian.ts"]);
});

test("the stack's configuration is read only in src/config", () => {
  const readers = sources("src").filter((file) =>
    /\bpulumi\.Config\b|\bnew Config\(/.test(readFileSync(file, "utf8")),
  );
  expect(readers.map((file) => relative(ROOT, file))).toEqual(["src/config/load.ts"]);
});

test("the provider, its facts and operations do without the Pulumi program's SDK", () => {
  const below = ["provider", "operations", "facts", "host", "rpc", "plan", "lab", "cli"];
  const users = imports.filter(
    ({ from, target }) => below.includes(from) && target.startsWith("@pulumi/"),
  );
  expect(users.filter(({ target }) => !target.startsWith("@pulumi/pulumi/proto/"))).toEqual([]);
  expect([...new Set(users.map(({ from }) => from))]).toEqual(["rpc"]);
});

test("templates are rendered only by the plan", () => {
  const users = imports.filter(({ target }) => target === "handlebars");
  expect([...new Set(users.map(({ from }) => from))]).toEqual(["plan"]);
});

test("what is planned is pure: nothing of it starts a process, opens a connection or asks for the time", () => {
  const impure = /^(node:)?(child_process|net|http|https|dgram|os|fs\/promises)$/;
  const users = imports.filter(
    ({ from, target }) =>
      ["roles", "distributions", "plan", "facts"].includes(from) && impure.test(target),
  );
  // isIPv4 and its like ask nobody.
  expect(users.filter(({ target }) => target !== "node:net").map(render)).toEqual([]);
  const clocks = ["src/plan", "src/migration/plan"]
    .flatMap(sources)
    .filter((file) => /\bDate\b|Math\.random/.test(readFileSync(file, "utf8")));
  expect(clocks).toEqual([]);
});

test("nothing is exported for nobody", () => {
  const files = ["src", "test", "bench", "tools"].flatMap(sources);
  const used = new Set(files.flatMap(namesImportedBy));
  const idle = sources("src")
    .filter((file) => !used.has(`${file} *`))
    .flatMap((file) => namesExportedBy(file).map((name) => `${file} ${name}`))
    .filter((one) => !used.has(one) && !ENTRIES.includes(relative(ROOT, one.split(" ")[0] ?? "")));
  expect(idle.map((one) => relative(ROOT, one))).toEqual([]);
});

/** What is started, and imported by nobody. */
const ENTRIES = ["src/index.ts"];

/** `FILE NAME` of all that a file imports from files of ours; `FILE *` where it takes everything. */
function namesImportedBy(file: string): string[] {
  const source = parsed(file);
  return [...namesImportedLater(source, file), ...namesImportedFirst(source, file)];
}

/** Where an import of a file leads; nothing if it is none of ours. */
function targetOf(file: string, from: ts.Node | undefined): string | undefined {
  if (!from || !ts.isStringLiteral(from) || !from.text.startsWith(".")) return undefined;
  const base = resolve(dirname(file), from.text);
  return [`${base}.ts`, `${base}.tsx`].find(existsSync) ?? base;
}

/** The same of `(await import("./file")).name`. */
function namesImportedLater(source: ts.SourceFile, file: string): string[] {
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isPropertyAccessExpression(node) && ts.isParenthesizedExpression(node.expression)) {
      const awaited = node.expression.expression;
      const call = ts.isAwaitExpression(awaited) ? awaited.expression : awaited;
      if (ts.isCallExpression(call) && call.expression.kind === ts.SyntaxKind.ImportKeyword)
        found.push(`${targetOf(file, call.arguments[0]) ?? ""} ${node.name.text}`);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

function namesImportedFirst(source: ts.SourceFile, file: string): string[] {
  return source.statements.flatMap((statement) => {
    if (!ts.isImportDeclaration(statement) && !ts.isExportDeclaration(statement)) return [];
    const target = targetOf(file, statement.moduleSpecifier);
    if (target === undefined) return [];
    const names = ts.isImportDeclaration(statement)
      ? statement.importClause?.namedBindings
      : statement.exportClause;
    if (!names || ts.isNamespaceImport(names) || ts.isNamespaceExport(names)) return `${target} *`;
    return names.elements.map((one) => `${target} ${(one.propertyName ?? one.name).text}`);
  });
}

/** What a file exports that is its own. */
function namesExportedBy(file: string): string[] {
  return parsed(file).statements.flatMap((statement): string[] => {
    const exported =
      ts.canHaveModifiers(statement) &&
      ts.getModifiers(statement)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword);
    if (!exported) return [];
    if (ts.isVariableStatement(statement))
      return statement.declarationList.declarations.map(({ name }) => name.getText());
    const named =
      ts.isFunctionDeclaration(statement) ||
      ts.isClassDeclaration(statement) ||
      ts.isInterfaceDeclaration(statement) ||
      ts.isTypeAliasDeclaration(statement);
    return named && statement.name ? [statement.name.text] : [];
  });
}

function parsed(file: string): ts.SourceFile {
  return ts.createSourceFile(file, readFileSync(file, "utf8"), ts.ScriptTarget.Latest, true);
}

/** A migration has a part in most layers: `migration/plan/adoption` as `plan/adoption`, and so on. */
function inLayer(path: string): string {
  const [, part, file] = /^migration\/([^/]+)\/(.+)$/.exec(path) ?? [];
  if (!part || !file) return path.replace(/^migration\//, "");
  return part === "inputs" ? `resources/inputs/${file}` : `${part}/${file}`;
}

function sources(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

function templates(): string[] {
  return readdirSync(join(ROOT, "templates"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

function withoutComments(text: string): string {
  // A pattern of the shell may have what begins a comment.
  return text.replace(/(^|\s)(\/\*[^]*?\*\/|\/\/ .*$)/gm, "$1");
}

function importsOf(file: string): Import[] {
  const source = ts.createSourceFile(file, readFileSync(file, "utf8"), ts.ScriptTarget.Latest);
  const within = relative(join(ROOT, "src"), file);
  const from = inLayer(within.replace(/\.tsx?$/, "")).split("/")[0];
  const found: Import[] = [];
  const add = (specifier: string, typeOnly: boolean) => {
    const own = specifier.startsWith(".");
    const path = relative(join(ROOT, "src"), resolve(dirname(file), specifier));
    const target = own ? path.replace(/^\.\.\//, "") : specifier;
    found.push({ from: from as string, file: within, target, own, typeOnly });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) && ts.isStringLiteral(node.moduleSpecifier)) {
      const names = node.importClause?.namedBindings;
      const allTypes =
        node.importClause?.name === undefined &&
        names !== undefined &&
        ts.isNamedImports(names) &&
        names.elements.every((element) => element.isTypeOnly);
      add(node.moduleSpecifier.text, node.importClause?.isTypeOnly === true || allTypes);
    } else if (ts.isExportDeclaration(node) && node.moduleSpecifier) {
      add((node.moduleSpecifier as ts.StringLiteral).text, node.isTypeOnly);
    } else if (
      ts.isCallExpression(node) &&
      (node.expression.kind === ts.SyntaxKind.ImportKeyword ||
        (ts.isIdentifier(node.expression) && node.expression.text === "require")) &&
      node.arguments[0] &&
      ts.isStringLiteral(node.arguments[0])
    ) {
      add(node.arguments[0].text, false);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

function render({ file, target, typeOnly }: Import): string {
  return `${file} imports ${typeOnly ? "types of " : ""}${target}`;
}
