import { ROLES } from "../../roles/roles";
import type { Fault } from "./fault";
import { inside, isOn } from "./inside";

interface OneProcess {
  readonly host: string;
  /** `postgres`, `pg_receivewal`, or a unit: `patroni`, `etcd`, `haproxy`, `keepalived`. */
  readonly process: string;
}

/** A process is killed as by the kernel when memory is short (SIGKILL); whoever watches over it may start it again. */
export const kill: Fault<OneProcess> = {
  describe: ({ host, process }) => `${process} killed on ${host}`,
  hosts: ({ host }) => [host],
  async inflict({ name }, { host, process }) {
    await inside(name, host, `set -e\n${pidOf(process)}\nkill -KILL $pid`);
  },
  async heal() {},
};

/** A process stands still (SIGSTOP), while all others of its host go on. */
export const suspend: Fault<OneProcess> = {
  describe: ({ host, process }) => `${process} suspended on ${host}`,
  hosts: ({ host }) => [host],
  async inflict({ name }, { host, process }) {
    await inside(name, host, `set -e\n${pidOf(process)}\nkill -STOP $pid`);
  },
  async heal({ name }, { host, process }) {
    // Whoever was killed meanwhile needs nothing.
    if (isOn(name, host)) await inside(name, host, `${pidOf(process)}\nkill -CONT $pid || :`);
  },
};

/** A unit is killed and not started again; what it has started goes on: a PostgreSQL that no Patroni watches. */
export const abandon: Fault<OneProcess> = {
  describe: ({ host, process }) => `${process} gone from ${host}, with what it started going on`,
  hosts: ({ host }) => [host],
  async inflict({ name }, { host, process }) {
    await inside(
      name,
      host,
      `set -e\nsystemctl mask -q --runtime ${process}.service\nsystemctl kill --kill-whom=main -s KILL ${process}.service`,
    );
  },
  async heal({ name }, { host, process }) {
    if (!isOn(name, host)) return; // The mask is gone with the host's run.
    await inside(
      name,
      host,
      `systemctl unmask -q --runtime ${process}.service
       systemctl reset-failed ${process}.service 2>/dev/null
       systemctl start --no-block ${process}.service`,
    );
  },
};

interface Units {
  readonly hosts: readonly string[];
  /** `etcd` */
  readonly unit: string;
}

/** A unit is stopped on several hosts at once, as somebody might do by mistake: the whole DCS, say. */
export const stop: Fault<Units> = {
  describe: ({ hosts, unit }) => `${unit} stopped on ${hosts.join(", ")}`,
  hosts: ({ hosts }) => hosts,
  async inflict({ name }, { hosts, unit }) {
    await Promise.all(hosts.map((host) => inside(name, host, `systemctl stop ${unit}.service`)));
  },
  async heal({ name }, { hosts, unit }) {
    const on = hosts.filter((host) => isOn(name, host));
    await Promise.all(
      on.map((host) => inside(name, host, `systemctl start --no-block ${unit}.service`)),
    );
  },
};

/** What runs as a child of a unit's own process. */
const PROGRAMS: ReadonlyMap<string, string> = new Map(
  ROLES.flatMap(({ programs }) => Object.entries(programs)),
);

/** Sets `pid`. */
function pidOf(process: string): string {
  const program = PROGRAMS.get(process);
  return program
    ? `pid=$(pgrep -o -f '${program}')`
    : `pid=$(systemctl show -p MainPID --value ${process}.service); [ "$pid" != 0 ]`;
}
