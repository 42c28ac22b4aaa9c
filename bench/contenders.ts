import { join } from "node:path";
import { labPaths } from "../src/lab/paths";
import { packageRoot } from "../src/package-root";
import type { Command } from "./commands";
import type { Site } from "./site";
import { LAB } from "./sizes";

/** A tool that sets up the cluster, and the command lines by which it does so. */
export interface Contender {
  readonly name: ContenderName;
  /** Makes the hosts what they must be: from nothing, and again with all looked at. */
  deploy(site: Site): Command;
  again(site: Site): Command;
  /** Looks at all and tells what it would change. */
  dryRun(site: Site): Command;
  /** Changes one timeout of HAProxy, or changes it back. */
  change(site: Site, changed: boolean): Command;
  /** Whether it said that nothing was, or would be, changed. */
  unchanged(output: string): boolean;
}

export const CONTENDERS = ["pgherd", "Ansible", "Mitogen", "pyinfra"] as const;
export type ContenderName = (typeof CONTENDERS)[number];

/** Everything that is compared. @param python folder of the Python programs. */
export function contenders(python: string): Contender[] {
  return [
    pgherd(),
    ansible("Ansible", python, {}),
    ansible("Mitogen", python, {
      ANSIBLE_STRATEGY: "mitogen_linear",
      ANSIBLE_STRATEGY_PLUGINS: join(python, "strategy"),
    }),
    pyinfra(python),
  ];
}

function pgherd(): Contender {
  const pulumi = (file: string, ...args: string[]): Command => ({
    argv: [
      ...["pulumi", "-C", packageRoot(), ...args, "--stack", "lab", "--config-file", file],
      ...["--non-interactive", "--color", "never"],
    ],
  });
  const up = ["up", "--yes", "--skip-preview"];
  return {
    name: "pgherd",
    deploy: ({ stackFile }) => pulumi(stackFile, ...up),
    again: ({ stackFile }) => pulumi(stackFile, ...up, "--refresh"),
    dryRun: ({ stackFile }) => pulumi(stackFile, "preview", "--refresh"),
    change: ({ stackFile, changedStackFile }, changed) =>
      pulumi(changed ? changedStackFile : stackFile, ...up, "--refresh"),
    unchanged: (output) => /^ +\d+ unchanged$/m.test(output) && !/^ +[~+-]+ *\d+ /m.test(output),
  };
}

function ansible(
  name: "Ansible" | "Mitogen",
  python: string,
  strategy: { readonly [name: string]: string },
): Contender {
  const folder = join(packageRoot(), "bench/ansible");
  const { sshConfig } = labPaths(LAB);
  const playbook = (
    { folder: work, controlSockets }: Site,
    inventory: string,
    ...args: string[]
  ): Command => ({
    argv: [
      join(python, "bin/ansible-playbook"),
      "-i",
      inventory,
      ...args,
      join(folder, "site.yml"),
    ],
    env: {
      ...strategy,
      ANSIBLE_CONFIG: join(folder, "ansible.cfg"),
      ANSIBLE_LOCAL_TEMP: join(work, "ansible"),
      ANSIBLE_SSH_ARGS: `-F ${sshConfig} -o ControlMaster=auto -o ControlPersist=60s`,
      ANSIBLE_SSH_CONTROL_PATH_DIR: controlSockets,
      PATH: `${join(python, "bin")}:${process.env["PATH"] ?? ""}`,
    },
  });
  return {
    name,
    deploy: (site) => playbook(site, site.inventory),
    again: (site) => playbook(site, site.inventory),
    dryRun: (site) => playbook(site, site.inventory, "--check"),
    change: (site, changed) => playbook(site, changed ? site.changedInventory : site.inventory),
    unchanged: (output) => /changed=0/.test(output) && !/changed=[1-9]/.test(output),
  };
}

function pyinfra(python: string): Contender {
  const folder = join(packageRoot(), "bench/pyinfra");
  const deploy = (description: string, ...args: string[]): Command => ({
    argv: [
      ...[join(python, "bin/pyinfra"), ...args],
      ...[join(folder, "inventory.py"), join(folder, "deploy.py")],
    ],
    env: { PGHERD_BENCH_SITE: description, PYTHONDONTWRITEBYTECODE: "1" },
  });
  return {
    name: "pyinfra",
    deploy: ({ description }) => deploy(description, "--yes"),
    again: ({ description }) => deploy(description, "--yes"),
    dryRun: ({ description }) => deploy(description, "--dry"),
    change: ({ description, changedDescription }, changed) =>
      deploy(changed ? changedDescription : description, "--yes"),
    unchanged: (output) =>
      // A dry run has two columns, of changes that are sure and of others; a run has a line with the sums.
      output.includes("Conditional Change")
        ? !/^ {4}\S.* (\d+ +(-|\d+)|- +\d+) *$/m.test(output)
        : /^ +Grand total +\d+ +- +- +\d+ *$/m.test(output),
  };
}
