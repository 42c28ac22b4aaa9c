import { PgherdError } from "../../errors";
import { hostCgroups, initOf } from "../cgroup";
import { run } from "../run";

/**
 * Runs a shell script as root on a host, by its kernel and not by its network: a host that nobody can reach can still be
 * told to heal.
 * @throws PgherdError when the host is off, or the script fails
 */
export async function inside(lab: string, host: string, script: string): Promise<string> {
  const init = initOf(hostCgroups(lab, host));
  if (!init)
    throw new PgherdError(`${host}: expected it to be on.`, `Run: pgherd lab power on ${host}`);
  const enter = ["nsenter", "--target", String(init.pid), "--mount", "--uts", "--ipc", "--net"];
  const environment = ["env", "-i", "LC_ALL=C.UTF-8", `PATH=${PATH}`];
  return run([...enter, "--pid", "--", ...environment, "/bin/sh", "-s"], { input: script });
}

/** Whether a host is on. */
export function isOn(lab: string, host: string): boolean {
  return initOf(hostCgroups(lab, host)) !== undefined;
}

const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
