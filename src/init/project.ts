import { existsSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { Document, isMap, type YAMLMap } from "yaml";
import type { HostSettings, SshSettings } from "../config/schema";
import type { Roles } from "./roles";

/** What a stack says of the hosts and how they are reached, as the user would write it. */
interface Reached {
  readonly hosts: { readonly [name: string]: HostSettings };
  readonly ssh: Partial<SshSettings>;
}

/** The settings of a new stack, as they stand in its file. */
export function stackSettings(cluster: string, { hosts, ssh }: Reached, roles: Roles) {
  const { members, dcs, balancers, backup, vip, running, clients } = roles;
  const database = cluster.replaceAll("-", "_");
  return {
    hosts,
    ...(Object.keys(ssh).length > 0 && { ssh }),
    cluster: {
      name: cluster,
      postgresql: running
        ? {
            ...(running.version && { version: Number(running.version) }),
            ...(running.port !== 5432 && { port: running.port }),
          }
        : {
            users: [{ name: database }],
            databases: [{ name: database, owner: database }],
          },
      members,
      replication: { mode: members.length > 1 ? "synchronous" : "asynchronous" },
      dcs: { kind: "etcd", members: dcs },
      ...(balancers.length > 0 && {
        loadBalancers: {
          hosts: balancers,
          ...(vip && { vip: vip.address, ...(vip.interface && { interface: vip.interface }) }),
        },
      }),
      ...(backup !== undefined && { backup: { host: backup } }),
      ...(!vip && clients !== undefined && { firewall: { clients: [clients] } }),
      ...(running && { migration: { from: running.host, until: "prepared" } }),
    },
  };
}

/** What the lines of a new stack are for; everything else is in docs/configuration.md. */
const COMMENTS: { readonly [path: string]: string } = {
  hosts: " Where each host is, and the key that it has to show. Another key is never talked to.",
  "cluster.replication":
    " A commit that was acknowledged is on two hosts. Others: asynchronous, strict, quorum.",
  "cluster.backup": " A backup each night, all WAL between them, a test restore every Sunday.",
  "cluster.firewall": " Who may use the database.",
  "cluster.migration":
    " Go on step by step: prepared, adopted, replicated, balanced, backedUp, cutOver.",
};

/** The text of a stack's file. @param schema where the editor finds the schema, from the file on. */
export function stackText(settings: ReturnType<typeof stackSettings>, schema: string): string {
  const config = Object.fromEntries(
    Object.entries(settings).map(([name, value]) => [`pgherd:${name}`, value]),
  );
  const document = new Document({ config });
  document.commentBefore = ` yaml-language-server: $schema=${schema}`;
  for (const [path, comment] of Object.entries(COMMENTS)) {
    if (path === "cluster.replication" && settings.cluster.members.length === 1) continue;
    const [block = "", ...keys] = path.split(".");
    const parent = document.getIn(
      keys.length > 0 ? ["config", `pgherd:${block}`, ...keys.slice(0, -1)] : ["config"],
    );
    const last = keys.at(-1) ?? `pgherd:${block}`;
    const pair = isMap(parent)
      ? (parent as YAMLMap<{ value: string; commentBefore?: string }>).items.find(
          ({ key }) => key.value === last,
        )
      : undefined;
    if (pair) pair.key.commentBefore = comment;
  }
  for (const name of Object.keys(settings.hosts)) {
    const host = document.getIn(["config", "pgherd:hosts", name]);
    if (isMap(host)) host.flow = true;
  }
  return document.toString({ lineWidth: 0, flowCollectionPadding: true });
}

/** A file of a new project. */
export interface NewFile {
  readonly path: string;
  readonly text: string;
}

/** Whether a folder is a project of pgherd's already, so that only a stack is added. */
export function isProject(folder: string): boolean {
  const file = join(folder, "Pulumi.yaml");
  return existsSync(file) && /^\s*- name: pgherd$/m.test(readFileSync(file, "utf8"));
}

/**
 * The files that a folder needs to be a project, but for the stack's own.
 * @param root the package's folder, which the project uses as it is where npm has not installed it in the project.
 */
export function projectFiles(folder: string, cluster: string, root: string): NewFile[] {
  const installed = existsSync(join(folder, "node_modules/pgherd/package.json"));
  const files: NewFile[] = [
    { path: "Pulumi.yaml", text: pulumiYaml(root, cluster) },
    {
      path: "index.cjs",
      text: '// The cluster of the stack\'s settings. Other resources of yours can stand beside it.\nmodule.exports = require("pgherd/program");\n',
    },
    { path: ".gitignore", text: "node_modules/\n" },
  ];
  if (!installed || !existsSync(join(folder, "package.json"))) {
    const dependencies = { pgherd: `file:${relative(folder, root) || "."}` };
    files.push({
      path: "package.json",
      text: `${JSON.stringify({ private: true, dependencies }, null, 2)}\n`,
    });
  }
  return files.filter(({ path }) => path !== ".gitignore" || !existsSync(join(folder, path)));
}

/** The package's own project, from where it stands in another one. */
function pulumiYaml(root: string, cluster: string): string {
  return (
    readFileSync(join(root, "Pulumi.yaml"), "utf8")
      .replace(/^name: .*$/m, `name: ${cluster}`)
      .replace(/^main: .*$/m, "main: index.cjs")
      // The engine starts a program in the folder of its main file.
      .replace(/(?<=^\s+nodeargs: --require \.\/)/m, "node_modules/pgherd/bin/")
      .replace(/^(\s+path: )(?=bin\/)/gm, "$1node_modules/pgherd/")
  );
}
