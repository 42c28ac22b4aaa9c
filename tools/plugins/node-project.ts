import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";

/** A package that brings resources, and with them a provider plugin of the same name. */
export interface RequiredPackage {
  /** The plugin's name, e.g. `random`. */
  readonly name: string;
  /** e.g. `v4.21.2` */
  readonly version: string;
  /** Where the plugin is downloaded from; empty for Pulumi's own place. */
  readonly server: string;
}

interface PackageJson {
  readonly name?: string;
  readonly version?: string;
  readonly dependencies?: { readonly [name: string]: string };
  readonly devDependencies?: { readonly [name: string]: string };
  readonly pulumi?: { resource?: boolean; name?: string; version?: string; server?: string };
}

/**
 * The plugins that the installed packages of a program need: those whose package.json says `pulumi.resource`. Plugins on
 * PATH are left out: the engine takes them anyway, and would warn of it once more.
 */
export function requiredPackages(directories: readonly string[]): RequiredPackage[] {
  const found = new Map<string, RequiredPackage>();
  for (const folder of directories.flatMap(installedPackages)) {
    const { name = "", version = "", pulumi } = readPackage(folder);
    if (!pulumi?.resource) continue;
    const plugin = pulumi.name ?? name.replace(/^@pulumi\//, "");
    if (onPath(`pulumi-resource-${plugin}`)) continue;
    const wanted = pulumi.version ?? version;
    found.set(plugin, {
      name: plugin,
      version: wanted.startsWith("v") ? wanted : `v${wanted}`,
      server: pulumi.server ?? "",
    });
  }
  return [...found.values()];
}

/** The program's own dependencies with the versions that are installed. */
export function programDependencies(
  directories: readonly string[],
): { name: string; version: string }[] {
  const root = directories.find((folder) => existsSync(path.join(folder, "package.json")));
  if (root === undefined) return [];
  const { dependencies = {}, devDependencies = {} } = readPackage(root);
  return Object.entries({ ...dependencies, ...devDependencies }).map(([name, range]) => ({
    name,
    version: readPackage(path.join(root, "node_modules", name)).version ?? range,
  }));
}

/** The Node that runs programs. */
export function about(): { executable: string; version: string } {
  return { executable: process.execPath, version: process.version };
}

/** Installs a program's dependencies with npm, from the lock file if there is one. */
export async function installDependencies(
  folder: string,
  write: (stream: "stdout" | "stderr", bytes: Buffer) => void,
): Promise<void> {
  const command = existsSync(path.join(folder, "package-lock.json")) ? "ci" : "install";
  write("stdout", Buffer.from("Installing dependencies...\n\n"));
  const npm = spawn("npm", [command, "--loglevel=error"], { cwd: folder });
  npm.stdout.on("data", (bytes: Buffer) => write("stdout", bytes));
  npm.stderr.on("data", (bytes: Buffer) => write("stderr", bytes));
  const code = await new Promise<number | null>((resolve, reject) => {
    npm.on("error", reject);
    npm.on("close", resolve);
  });
  if (code !== 0) throw new Error(`\`npm ${command}\` in ${folder} failed with exit code ${code}.`);
  write("stdout", Buffer.from("Finished installing dependencies\n\n"));
}

function onPath(program: string): boolean {
  return (process.env.PATH ?? "")
    .split(path.delimiter)
    .some((folder) => existsSync(path.join(folder, program)));
}

function installedPackages(directory: string): string[] {
  const modules = path.join(directory, "node_modules");
  if (!existsSync(modules)) return [];
  return readdirSync(modules).flatMap((name) =>
    name.startsWith("@")
      ? readdirSync(path.join(modules, name)).map((inner) => path.join(modules, name, inner))
      : [path.join(modules, name)],
  );
}

function readPackage(folder: string): PackageJson {
  try {
    return JSON.parse(readFileSync(path.join(folder, "package.json"), "utf8")) as PackageJson;
  } catch {
    return {};
  }
}
