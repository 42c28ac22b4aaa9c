import type { Settings } from "../schema";
import { each, type Report } from "./report";

export function hooksHaveHosts({ hosts, ssh, cluster }: Settings, report: Report): void {
  each(cluster.hooks, (hook, i) => {
    if (cluster.hooks.findIndex(({ name }) => name === hook.name) !== i) {
      report(
        `cluster.hooks[${i}].name`,
        `expected each name once, got "${hook.name}" again. Choose another.`,
      );
    }
    if (hook.on === "local") return;
    const host = hosts[hook.on];
    if (!host) {
      report(
        `cluster.hooks[${i}].on`,
        `expected "local" or one of pgherd:hosts (${Object.keys(hosts).join(", ")}), got "${hook.on}". Mend the name.`,
      );
      return;
    }
    const found = [
      host.hostKey ? [] : "no hostKey",
      (host.user ?? ssh.user) ? [] : "no user",
      (host.proxyJump ?? ssh.proxyJump) ? "a proxyJump" : [],
      ssh.identityFile ? "an identityFile" : [],
    ].flat();
    if (found.length > 0) {
      report(
        `cluster.hooks[${i}].on`,
        `expected ${hook.on} to be reached directly by an SSH agent, with hostKey and user in pgherd:hosts, got ${found.join(", ")}: ` +
          "@pulumi/command reads no SSH configuration, and would write a private key into the state. " +
          "Mend these, or use `on: local` with ssh in the command.",
      );
    }
  });
}
