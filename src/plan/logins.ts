import type { Settings } from "../config/schema";

/** Where a user of a host keeps the key, the known hosts and the settings for logging in to other hosts. */
export function sshDirectory(user: string): string {
  return `/var/lib/pgherd/ssh-${user}`;
}

/** For `ssh -F`: each host by its name and by its address. */
export function sshConfig(user: string): string {
  return `${sshDirectory(user)}/config`;
}

/** Where sshd listens on a host. */
export function sshPort({ hosts, ssh }: Settings, host: string): number {
  return hosts[host]?.port ?? ssh.port ?? 22;
}
