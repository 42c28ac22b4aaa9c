import fs from "node:fs";
import path from "node:path";
import { PgherdError } from "../../errors";
import { hostCgroups } from "../cgroup";
import { joinedGroup, joinGroup, leaveGroup } from "../cgroup-v1";
import { DATA_MOUNT, hasDataDisk } from "../data-disk";
import { hostPaths } from "../paths";
import { run } from "../run";
import type { Fault, Victim } from "./fault";
import { inside, isOn } from "./inside";

export interface OneHost {
  readonly host: string;
}

const FILLER = `${DATA_MOUNT}/.pgherd-fault`;

/** The disk of a host's data has no byte left. */
export const fill: Fault<OneHost> = {
  describe: ({ host }) => `disk of ${host} full`,
  hosts: ({ host }) => [host],
  async inflict({ name, state }, { host }) {
    requireDataDisk(state, host);
    // The last part byte by byte: no file system gives all it has in one piece.
    await inside(
      name,
      host,
      `free=$(df -B1 --output=avail ${DATA_MOUNT} | tail -n 1)
       fallocate -l $((free - free / 50)) ${FILLER}
       dd if=/dev/zero of=${FILLER}.rest bs=1M status=none 2>/dev/null
       sync -f ${DATA_MOUNT}; dd if=/dev/zero of=${FILLER}.rest bs=4k oflag=append conv=notrunc status=none 2>/dev/null; :`,
    );
  },
  async heal({ name }, { host }) {
    if (isOn(name, host))
      await inside(name, host, `rm -f ${FILLER} ${FILLER}.rest; sync -f ${DATA_MOUNT}`);
  },
};

interface Slow extends OneHost {
  /** Bytes that it writes in a second, at most. @default 65536 */
  readonly bytesPerSecond?: number;
}

const SLOW = 64 * 1024;

/** The disk of a host's data writes as slowly as a dying one. */
export const slow: Fault<Slow> = {
  describe: ({ host, bytesPerSecond = SLOW }) =>
    `disk of ${host} at ${Math.round(bytesPerSecond / 1024)} kB/s`,
  hosts: ({ host }) => [host],
  async inflict(victim, { host, bytesPerSecond = SLOW }) {
    requireDataDisk(victim.state, host);
    await throttle(victim, host, bytesPerSecond);
  },
  heal: (victim, { host }) => throttle(victim, host, 0),
};

/** @param limit bytes a second; 0 takes the limit away. */
async function throttle({ name, paths }: Victim, host: string, limit: number): Promise<void> {
  const device = await deviceOf(hostPaths(paths, host).dataImage);
  const switches = hostCgroups(name, host)
    .map((group) => path.join(group, "run", "io.max"))
    .filter((file) => fs.existsSync(file));
  if (switches.length > 0) {
    const text = `${device} wbps=${limit || "max"}`;
    return device ? switches.forEach((file) => fs.writeFileSync(file, text)) : undefined;
  }
  const group = limit > 0 ? joinGroup("blkio", name, host) : joinedGroup("blkio", name, host);
  if (group === undefined) return;
  if (device)
    fs.writeFileSync(path.join(group, "blkio.throttle.write_bps_device"), `${device} ${limit}`);
  if (limit === 0) leaveGroup("blkio", name, host);
}

/** `7:3`; undefined where the host is off and nothing is mounted. */
async function deviceOf(image: string): Promise<string | undefined> {
  const found = await run(["losetup", "--associated", image, "--noheadings", "-O", "MAJ:MIN"]);
  return found.trim().split("\n")[0] || undefined;
}

function requireDataDisk(state: Victim["state"], host: string): void {
  if (hasDataDisk(state, host)) return;
  throw new PgherdError(
    `${host}: expected a disk of its own for its data, found none: this machine's own would suffer.`,
    "Make the lab with one: pgherd lab up --data-fs xfs",
  );
}
