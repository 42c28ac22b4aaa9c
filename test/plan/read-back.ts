import { execFileSync, spawnSync } from "node:child_process";
import { join } from "node:path";
import { parse } from "yaml";
import type { Settings } from "../../src/config/schema";
import { planMigrated } from "../../src/migration/plan/migrated";
import { planCluster } from "../../src/plan/plan";
import { withSecrets } from "../../src/plan/secrets";
import type { Files } from "../../src/plan/types";
import { clientConfig } from "../../src/operations/logins";
import { SOURCE } from "../source";

/** Every text that a plan puts on a host, by the host and its path. */
export function textsOnHosts(settings: Settings): { readonly [place: string]: string } {
  const plan = planCluster(settings);
  const migrated = settings.cluster.migration ? planMigrated(settings, SOURCE).files : {};
  const on = (host: string, files: Files) =>
    Object.entries(files).map(([path, { content }]) => [`${host}:${path}`, content] as const);
  return Object.fromEntries([
    ...plan.services.flatMap(({ host, files, secretFiles }) => [
      ...on(host, files),
      ...on(
        host,
        withSecrets(secretFiles, ({ name }) => `PASSWORD-OF-${name}`),
      ),
    ]),
    ...Object.entries(migrated).flatMap(([host, files]) => on(`${host} migrated`, files)),
    ...plan.hosts.flatMap(({ host, files }) => on(host, files)),
    ...Object.entries(plan.logins?.files ?? {}).flatMap(([host, files]) => on(host, files)),
    ...plan.forks.flatMap(({ from, files }) => on(from, files)),
    ...plan.firewalls.flatMap(({ host, rules, beginning }) => [
      [`${host}:rules.nft`, table(rules)] as const,
      ...(beginning ? [[`${host}:beginning.nft`, table(beginning)] as const] : []),
    ]),
    ["ssh.config", clientConfig("postgres", plan.logins?.links ?? [])],
  ]);
}

function table(rules: string): string {
  return `table inet pgherd {\n${rules}}\n`;
}

/** What a reader says of a text, or why it does not take it. */
type Answer = { readonly says: unknown } | { readonly fails: string };

type Format = "barman" | "patroni" | "words" | "command";

/** What Python, in which Barman and Patroni are written, reads in texts. */
export function readInPython(texts: readonly (readonly [Format, string])[]): Answer[] {
  const script = join(import.meta.dirname, "read-back.py");
  const input = JSON.stringify(texts);
  const options = { input, encoding: "utf8", maxBuffer: 2 ** 30 } as const;
  return JSON.parse(execFileSync("python3", ["-I", script], options)) as Answer[];
}

/** The reader of a file; what has none of its own is read line by line. */
export function formatOf(place: string): Format | undefined {
  if (place.endsWith(".yml")) return "patroni";
  return place.includes(":/etc/barman.d/") ? "barman" : undefined;
}

/** What a second reader of YAML says. */
export function yaml(text: string): unknown {
  return parse(text);
}

/** What the shells that will run a host's scripts, and nftables, have against texts. */
export function complaints(texts: readonly (readonly [place: string, text: string])[]): string {
  const all = (wanted: (place: string, text: string) => boolean) =>
    texts.flatMap((one) => (wanted(...one) ? [one[1]] : [])).join("\n");
  const bash = (text: string) => text.startsWith("#!/bin/bash\n");
  const sh = (text: string) => !bash(text) && text.includes("\nset -eu");
  return [
    complaint(
      all((_, text) => bash(text)),
      "bash",
      "-n",
    ),
    complaint(
      all((_, text) => sh(text)),
      "sh",
      "-n",
    ),
    ...(canTryRules
      ? [
          complaint(
            withIds(all((place) => place.endsWith(".nft"))),
            "unshare",
            "-n",
            "nft",
            "-c",
            "-f",
            "-",
          ),
        ]
      : []),
  ].join("");
}

/** Rules as a host gives them to nft: with ids in the places of its users' names. */
function withIds(rules: string): string {
  const names = new Set([...rules.matchAll(/\$(uid_[a-z0-9_-]*)/g)].map(([, name]) => name));
  return [...names].map((name) => `define ${name} = 1\n`).join("") + rules;
}

/** Whether this machine lets rules be tried, in a network of their own. */
const canTryRules = spawnSync("unshare", ["-n", "nft", "list", "ruleset"]).status === 0;

function complaint(input: string, command: string, ...args: string[]): string {
  return input === "" ? "" : spawnSync(command, args, { input, encoding: "utf8" }).stderr;
}

/** The variables that a line of a script sets, as the shell sees them. */
export function assigned(line: string): string[] | undefined {
  const names = [...line.matchAll(/(?:^|(?<=') )([a-z_]+)='/g)].map(([, name]) => name);
  if (names.length === 0 || !/^[a-z_]+='/.test(line)) return undefined;
  const script = `${line}\nprintf '%s\\0' ${names.map((name) => `"$${name}"`).join(" ")}\n`;
  const { stdout } = spawnSync("bash", ["-s"], { input: script, encoding: "utf8", env: {} });
  return stdout.split("\0").slice(0, -1);
}
