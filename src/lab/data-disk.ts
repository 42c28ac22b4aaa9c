import fs from "node:fs";
import { hostPaths, type LabPaths } from "./paths";
import { run } from "./run";
import type { LabState } from "./state";

/** File systems that the database hosts of a lab can keep their data on; the first two copy on write. */
export const DATA_FILE_SYSTEMS = ["btrfs", "xfs", "ext4"] as const;
export type DataFileSystem = (typeof DATA_FILE_SYSTEMS)[number];

/** Where a host has its data disk: Debian's folder of all PostgreSQL data. */
export const DATA_MOUNT = "/var/lib/postgresql";

/** Programs that make each of them, and the options that matter. */
const MAKE: { readonly [fileSystem in DataFileSystem]: readonly string[] } = {
  btrfs: ["mkfs.btrfs", "-q"],
  xfs: ["mkfs.xfs", "-q", "-m", "reflink=1"],
  ext4: ["mkfs.ext4", "-q"],
};

/** What the disk claims to have: room for a database of 10 GB and its WAL. Of this machine it takes what is written. */
const SIZE_BYTES = 32 * 2 ** 30;

/** Whether a host has a disk of its own for data: the database hosts of a lab that was made with one. */
export function hasDataDisk({ dataFs }: Pick<LabState, "dataFs">, host: string): boolean {
  return dataFs !== undefined && /^db\d+$/.test(host);
}

/** Makes the disk of a host that is to have one, unless it is there. @throws PgherdError without the program for it */
export async function ensureDataDisk(
  paths: LabPaths,
  state: LabState,
  host: string,
): Promise<void> {
  const { dataImage: image } = hostPaths(paths, host);
  if (!state.dataFs || !hasDataDisk(state, host) || fs.existsSync(image)) return;
  fs.mkdirSync(hostPaths(paths, host).dir, { recursive: true });
  fs.writeFileSync(`${image}.new`, "");
  fs.truncateSync(`${image}.new`, SIZE_BYTES);
  await run([...MAKE[state.dataFs], `${image}.new`]);
  fs.renameSync(`${image}.new`, image);
}
