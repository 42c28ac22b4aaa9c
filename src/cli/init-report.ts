import { existsSync } from "node:fs";
import { join, relative } from "node:path";
import { remarks, type Candidate, type Roles } from "../init/roles";
import { sizeOf } from "../operations/words";
import { packageRoot } from "../package-root";
import { wrapped } from "./ask";
import { stackPath } from "./project";
import { plainTable } from "./table";

/** What was found of the hosts, and what each is to be. */
export function show(candidates: readonly Candidate[], roles: Roles): void {
  const table = plainTable([
    "Host",
    "Address",
    "System",
    "Cores",
    "Memory",
    "Disk free",
    "Is to be",
  ]);
  for (const { name, address, facts } of candidates) {
    const does = [
      ...(roles.members.includes(name) ? ["member"] : []),
      ...(roles.dcs.includes(name) ? ["etcd"] : []),
      ...(roles.balancers.includes(name) ? ["balancer"] : []),
      ...(roles.backup === name ? ["backups"] : []),
    ];
    const { system, cores, memory, disk } = facts;
    table.push([
      name,
      address,
      system,
      cores,
      sizeOf(memory),
      sizeOf(disk.free),
      does.join(", ") || "nothing",
    ]);
  }
  const told = remarks(candidates, roles).map((one) => `${wrapped(one)}\n`);
  process.stdout.write(`\n${table.toString()}\n\n${told.join("")}`);
}

/** What the user does next. */
export function next(folder: string, stack: string): string {
  const steps = [
    ...(folder === process.cwd() ? [] : [`cd ${wayTo(folder)}`]),
    ...(folder === packageRoot() || existsSync(join(folder, "node_modules/pgherd"))
      ? []
      : ["npm install"]),
    `pulumi stack init ${stack}`,
    `pulumi preview -s ${stack} --diff`,
    `pulumi up -s ${stack}`,
  ];
  const kept = "`pulumi login` says before where Pulumi keeps its state: not on these hosts.";
  return `\nNext, with a look at ${stackPath("", stack)} before:\n${steps.map((one) => `  ${one}\n`).join("")}${kept}\n`;
}

/** As a person would type it. */
function wayTo(folder: string): string {
  const way = relative(process.cwd(), folder);
  return way.length < folder.length ? way : folder;
}
